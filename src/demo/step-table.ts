import type { CaseOutcome } from "./every-step.ts";
import type { Colours } from "./narrator.ts";

const columns = ["killed before", "killed after", "server before", "server during"];
const databaseColumns = ["database before", "database during", "database after"];
const width = 17;

/** One row for each step, one column for each way to kill there: `ok` and the seconds it took, or `BROKEN`. */
export function stepTable(outcomes: readonly CaseOutcome[], colours: Colours): readonly string[] {
  const shown = outcomes.some(({ kill }) => kill.victim === "database") ? [...columns, ...databaseColumns] : columns;
  const titles = [...new Set(outcomes.map(titleOf))];
  return titles.flatMap((title) => {
    const group = outcomes.filter((outcome) => titleOf(outcome) === title);
    const steps = [...new Set(group.map(({ kill }) => kill.call))];
    const first = Math.max(title.length, ...steps.map((step) => step.length)) + 2;
    return [
      colours.bold(title.padEnd(first)) + shown.map((column) => colours.dim(column.padEnd(width))).join(""),
      ...steps.map((step) => step.padEnd(first) + shown.map((column) => cell(group, step, column, colours)).join("")),
      "",
    ];
  });
}

function titleOf({ kill, bankLosesAnswer }: CaseOutcome): string {
  return bankLosesAnswer ? `${kill.role}, when the bank's answer is lost` : kill.role;
}

function cell(group: readonly CaseOutcome[], step: string, column: string, colours: Colours): string {
  const found = group.find(
    ({ kill }) => kill.call === step && column === `${kill.victim === kill.role ? "killed" : kill.victim} ${kill.when}`,
  );
  if (found === undefined) return colours.dim("-".padEnd(width));
  if (found.problem !== "") return colours.red("BROKEN".padEnd(width));
  return colours.green(`ok ${(found.tookMs / 1000).toFixed(1)}s`.padEnd(width));
}
