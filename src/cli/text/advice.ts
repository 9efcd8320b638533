import type { EffectRecord } from "../../model/effect.ts";
import type { ObligationRecord } from "../../model/obligation.ts";
import { printable } from "../terminal.ts";
import type { RunReport } from "../run-report.ts";
import { duration } from "./duration.ts";
import { shellWord } from "./shell-word.ts";

/** What a person can do about a run now: why, and the commands for it. */
export interface Advice {
  readonly why: string;
  readonly commands: readonly string[];
}

/** What needs a person, most pressing first. `now` is in milliseconds since 1970. */
export function advise(report: RunReport, now: number): Advice[] {
  const { run, effects, obligations } = report;
  const unknown = effects.filter(({ status }) => status === "UNKNOWN");
  const stuck = obligations.filter(({ status }) => status === "STUCK");
  return [
    ...unknown.map((effect) => adviseOnUnknown(run.runId, effect)),
    ...stuck.map((obligation) => adviseOnStuck(run.runId, obligation)),
    ...adviseOnRun(report, now, unknown.length + stuck.length > 0).map(readable),
  ];
}

const readable = ({ why, commands }: Advice): Advice => ({ why: printable(why), commands: commands.map(printable) });

/** What to do about an effect of which nobody knows whether it happened. */
export function adviseOnUnknown(
  runId: string,
  {
    idempotencyKey,
    toolName,
    connector,
    businessKey,
  }: Pick<EffectRecord, "idempotencyKey" | "toolName" | "connector" | "businessKey">,
): Advice {
  const key = shortKey(runId, idempotencyKey);
  const where = connector === "" ? ` what ${toolName} did` : ` at ${connector}`;
  const by = businessKey === "" ? "" : ` by its business key ${businessKey}`;
  return readable({
    why: `Nobody knows whether ${key} happened. Find out${where}${by}, then say so:`,
    commands: ["confirmed", "failed"].map((outcome) => `tape resolve ${shellWord(runId)} ${shellWord(key)} ${outcome}`),
  });
}

/** What to do about an obligation that could not be met. */
export function adviseOnStuck(
  runId: string,
  { seq, kind, effectKey, lastError }: Pick<ObligationRecord, "seq" | "kind" | "effectKey" | "lastError">,
): Advice {
  const error = lastError === "" ? "" : `: ${lastError}`;
  return readable({
    why: `Obligation ${seq} (${kind} of ${shortKey(runId, effectKey)}) could not be met${error}. Do by hand what it promises, then say so:`,
    commands: [`tape resolve ${shellWord(runId)} ${seq} compensated`],
  });
}

function adviseOnRun({ run, gates }: RunReport, now: number, blocked: boolean): Advice[] {
  const id = shellWord(run.runId);
  switch (run.status) {
    case "WAITING":
      return gates
        .filter(({ gate, status }) => gate === run.waitingOnGate && status === "WAITING")
        .map(({ gate }) => ({
          why: `The run waits for a signal at the gate ${gate}:`,
          commands: [`tape signal ${id} ${shellWord(gate)} '{"approved": true}'`],
        }));
    case "STUCK":
      if (blocked) return [];
      return [
        {
          why: "Nothing in it is stuck any more: an agent can resume the run, or you give it up:",
          commands: [`tape cancel ${id}`],
        },
      ];
    case "RUNNABLE":
      return [{ why: "The run is ready to go on: the next agent that resumes it gets the lease.", commands: [] }];
    case "RUNNING":
      if (run.leaseOwner !== "" && run.leaseExpiresAtMs > now) return [];
      return [{ why: `${leaseFault(run, now)}: any agent may resume the run.`, commands: [] }];
    default:
      return [];
  }
}

function leaseFault(run: RunReport["run"], now: number): string {
  if (run.leaseOwner === "") return "Nobody holds the lease";
  return `The lease of ${run.leaseOwner} expired ${duration(now - run.leaseExpiresAtMs)} ago`;
}

/** An effect key without the run's id, which `tape resolve` puts before it again. */
export function shortKey(runId: string, key: string): string {
  return key.startsWith(`${runId}/`) ? key.slice(runId.length + 1) : key;
}
