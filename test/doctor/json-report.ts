import type { CliResult } from "../cli/run-in-process.ts";

/** What `tape doctor --json` printed. */
export interface JsonReport {
  /** By id; of several with one id the gravest. */
  readonly findings: Readonly<Record<string, JsonFinding>>;
  readonly all: readonly JsonFinding[];
  readonly repairs: readonly unknown[];
}

/** One finding of it. */
interface JsonFinding {
  readonly id: string;
  readonly asks: string;
  readonly outcome: string;
  readonly says: string;
  readonly mend: readonly string[];
  readonly untold: boolean;
  readonly repair: string | null;
}

const gravity = ["skipped", "ok", "warn", "fail"];

/** Reads the one document on standard output. */
export function findingsIn({ out, err }: CliResult): JsonReport {
  if (out === "") throw new Error(`doctor printed nothing; it said: ${err}`);
  const { findings: all, repairs } = JSON.parse(out) as { findings: JsonFinding[]; repairs: unknown[] };
  const findings: Record<string, JsonFinding> = {};
  for (const finding of all) {
    const before = findings[finding.id];
    if (before === undefined || gravity.indexOf(before.outcome) < gravity.indexOf(finding.outcome))
      findings[finding.id] = finding;
  }
  return { findings, all, repairs };
}
