import { TapeError } from "../../errors.ts";
import type { JournalEntry } from "../../model/run.ts";
import { readRun, type RunReport } from "../run-report.ts";
import { advise } from "../text/advice.ts";
import { duration } from "../text/duration.ts";
import { parsedJson } from "../text/fields.ts";
import { plural } from "../text/money.ts";
import { type Checkup, fail, type Finding, ok, warn } from "./finding.ts";
import type { JournalScene } from "./journal-scene.ts";

/** One run: how it stands, whether its journal is whole, and what it needs. */
export function runCheckup(runId: string, { tape, now, access }: JournalScene): Checkup {
  return async function* () {
    let report: RunReport;
    try {
      report = await readRun(tape, runId);
    } catch (error) {
      if (!(error instanceof TapeError)) throw error;
      yield fail("run.state", error.message, [`tape tail --from start --kind run${access}   # finds run ids`]);
      return;
    }
    yield checkState(report, now, access);
    yield checkJournal(report, access);
    yield* checkAdvice(report, now, access);
  };
}

function checkState({ run, effects, obligations }: RunReport, now: number, access: string): Finding {
  const lease =
    run.leaseOwner === ""
      ? ""
      : `, leased to ${run.leaseOwner} ${run.leaseExpiresAtMs > now ? `for ${duration(run.leaseExpiresAtMs - now)} more` : `until ${duration(now - run.leaseExpiresAtMs)} ago`}`;
  const parts = [
    `${run.status}, begun ${duration(Math.max(0, now - run.startedAtMs))} ago${lease}`,
    plural(run.seqCursor, "entry", "entries"),
    plural(effects.length, "effect"),
    plural(obligations.length, "obligation"),
  ];
  const says = parts.join(", ");
  return run.status === "STUCK" ? fail("run.state", says, [`tape show ${run.runId}${access}`]) : ok("run.state", says);
}

function checkJournal({ run, entries }: RunReport, access: string): Finding {
  const faults = entries.flatMap((entry, i) => faultsOf(entry, i + 1));
  if (entries.length !== run.seqCursor) faults.push(`${entries.length} entries where ${run.seqCursor} were written`);
  if (faults.length === 0)
    return ok("run.journal", `${plural(entries.length, "entry", "entries")} without a gap, all can be read`);
  return fail("run.journal", faults.slice(0, 3).join("; "), [
    `tape doctor --dump-run ${run.runId}${access} > run.json   # attach it to a report: this is a fault of Tape or of the store`,
  ]);
}

function faultsOf({ seq, payloadJson, subject }: JournalEntry, expected: number): string[] {
  return [
    ...(seq === expected ? [] : [`entry ${seq} stands where ${expected} belongs`]),
    ...(typeof parsedJson(payloadJson) === "object" ? [] : [`entry ${seq} (${subject}) is no JSON object`]),
  ];
}

function* checkAdvice(report: RunReport, now: number, access: string): Iterable<Finding> {
  const advice = advise(report, now);
  if (advice.length === 0) yield ok("run.advice", "it needs nobody");
  for (const { why, commands } of advice) {
    const says = why.replace(/:$/, "");
    // Without a command it is for an agent, not for a person.
    yield commands.length === 0
      ? ok("run.advice", says)
      : warn(
          "run.advice",
          says,
          commands.map((command) => `${command}${access}`),
        );
  }
}
