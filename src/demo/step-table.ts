import type { CaseOutcome } from "./every-step.ts";
import type { Colours } from "./narrator.ts";

const columns = ["killed before", "killed after", "server before", "server during"] as const;
const width = 15;

/** One row for each step, one column for each way to kill there: `ok` and the seconds it took, or `BROKEN`. */
export function stepTable(outcomes: readonly CaseOutcome[], colours: Colours): readonly string[] {
  const titles = [...new Set(outcomes.map(titleOf))];
  return titles.flatMap((title) => {
    const group = outcomes.filter((outcome) => titleOf(outcome) === title);
    const steps = [...new Set(group.map(({ kill }) => kill.call))];
    const first = Math.max(title.length, ...steps.map((step) => step.length)) + 2;
    return [
      colours.bold(title.padEnd(first)) + columns.map((column) => colours.dim(column.padEnd(width))).join(""),
      ...steps.map((step) => step.padEnd(first) + columns.map((column) => cell(group, step, column, colours)).join("")),
      "",
    ];
  });
}

function titleOf({ kill, bankLosesAnswer }: CaseOutcome): string {
  return bankLosesAnswer ? `${kill.role}, when the bank's answer is lost` : kill.role;
}

function cell(group: readonly CaseOutcome[], step: string, column: (typeof columns)[number], colours: Colours): string {
  const found = group.find(
    ({ kill }) => kill.call === step && column === `${kill.victim === "server" ? "server" : "killed"} ${kill.when}`,
  );
  if (found === undefined) return colours.dim("-".padEnd(width));
  if (found.problem !== "") return colours.red("BROKEN".padEnd(width));
  return colours.green(`ok ${(found.tookMs / 1000).toFixed(1)}s`.padEnd(width));
}
