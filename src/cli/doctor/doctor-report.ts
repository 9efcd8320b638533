import { type Colours, printable, type Terminal } from "../terminal.ts";
import { plural } from "../text/money.ts";
import { checks } from "./check-ids.ts";
import type { Finding } from "./finding.ts";

/** Exit codes of `tape doctor`; stable, for scripts. */
const doctorCodes = { healthy: 0, warned: 1, failed: 2, untold: 3 } as const;

/** What the findings come to. A failure outweighs what could not be told, and that a warning. */
export function doctorCode(findings: readonly Finding[], strict: boolean): number {
  if (findings.some(({ outcome }) => outcome === "fail")) return doctorCodes.failed;
  if (findings.some(({ untold }) => untold === true)) return doctorCodes.untold;
  return strict && findings.some(({ outcome }) => outcome === "warn") ? doctorCodes.warned : doctorCodes.healthy;
}

/** How many findings there are of each kind; `untold` are among `skipped`. */
export function tally(findings: readonly Finding[]): Readonly<Record<Finding["outcome"] | "untold", number>> {
  const count = (outcome: Finding["outcome"]): number =>
    findings.filter((finding) => finding.outcome === outcome).length;
  return {
    ok: count("ok"),
    warn: count("warn"),
    fail: count("fail"),
    skipped: count("skipped"),
    untold: findings.filter(({ untold }) => untold === true).length,
  };
}

/** A finding as `--json` prints it. */
export const findingJson = ({ id, outcome, says, mend = [], untold, repair }: Finding): object => ({
  id,
  asks: checks[id],
  outcome,
  says,
  mend,
  untold: untold === true,
  repair: repair?.does ?? null,
});

/** Columns before the text. */
const indent = 30;
const narrowestText = 40;

/** The lines that tell a person of a finding, within the terminal's columns. */
export function findingLines(finding: Finding, { colours, columns }: Pick<Terminal, "colours" | "columns">): string[] {
  const { id, says, mend = [] } = finding;
  const [first = "", ...others] = wrapped(printable(says), Math.max(narrowestText, columns - indent));
  const margin = " ".repeat(indent);
  return [
    `${badge(finding, colours)}  ${id.padEnd(indent - 10)}  ${first}`,
    ...others.map((line) => `${margin}${line}`),
    // Commands stay whole, to be copied.
    ...mend.map(
      (line) => `${margin}${colours.dim(line.startsWith("#") ? "·" : "$")} ${printable(line).replace(/^# /, "")}`,
    ),
  ];
}

function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** The last line: what it comes to. */
export function summary(findings: readonly Finding[]): string {
  const { ok, warn, fail, skipped, untold } = tally(findings);
  const parts = [
    ...(fail > 0 ? [plural(fail, "failure")] : []),
    ...(untold > 0 ? [`${untold} that could not be told`] : []),
    ...(warn > 0 ? [plural(warn, "warning")] : []),
    `${ok} ok`,
    ...(skipped > untold ? [`${skipped - untold} skipped`] : []),
  ];
  return parts.join(", ");
}

function badge({ outcome, untold }: Finding, { green, yellow, red, dim }: Colours): string {
  if (untold === true) return yellow("????  ");
  switch (outcome) {
    case "ok":
      return green("ok    ");
    case "warn":
      return yellow("warn  ");
    case "fail":
      return red("FAIL  ");
    case "skipped":
      return dim("-     ");
  }
}
