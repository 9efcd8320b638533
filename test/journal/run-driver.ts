import { TapeError, type TapeErrorReason } from "../../src/errors.ts";
import { defaultLimits as limits } from "../../src/journal/limits.ts";
import type { Decide } from "../../src/journal/row.ts";
import { beginEffect } from "../../src/journal/run/effects.ts";
import type { RunEvent } from "../../src/journal/run/events.ts";
import { beginRun, beginRunCommand } from "../../src/journal/run/lifecycle.ts";
import { runRules } from "../../src/journal/run/rules.ts";
import type { Run } from "../../src/journal/run/run.ts";
import type { BeginEffectRequest } from "../../src/model/effect.ts";
import type { BeginRunRequest } from "../../src/model/run.ts";
import { RowDriver, type Saying } from "./row-driver.ts";

/** The identity of the run that tests use. */
const identity = { appName: "app", userId: "user", sessionId: "session", invocationId: "one" } as const;

/** BeginRun of {@link identity}. */
export const begin = (request: Partial<BeginRunRequest> = {}): ReturnType<typeof beginRun> =>
  beginRun(beginRunCommand({ ...identity, scopes: ["pay"], ...request }, request.tenantId ?? "", limits));

/** The id of the run of {@link identity}. */
export const runId: string = beginRunCommand(identity, "", limits).facts.runId;

/** A driver of one run. */
export const driveRun = (): RowDriver<Run, RunEvent> => new RowDriver(runRules);

/** BeginEffect with an own key, a connector where one is needed, and a scope that the run has. */
export const beginKey = (
  customKey: string,
  request: Partial<BeginEffectRequest> = {},
): ReturnType<typeof beginEffect> =>
  beginEffect(
    { runId, decisionIndex: 0, toolName: "tool", customKey, connector: "bank", scope: "pay", ...request },
    limits,
  );

/** What a command wrote, in the words of the tables, or why it was refused. `=`: nothing written. */
export function written<T>(
  run: RowDriver<Run, RunEvent>,
  decide: Decide<Run, RunEvent, T>,
  saying: Saying = {},
): string {
  const { epoch } = run.state;
  try {
    const words = run.call(decide, saying).events.map((event) => word(event, epoch));
    return words.length === 0 ? "=" : words.join(", ");
  } catch (error) {
    if (error instanceof TapeError) return error.reason satisfies TapeErrorReason;
    throw error;
  }
}

function word(event: RunEvent, epoch: number): string {
  switch (event.kind) {
    case "head/lease":
      return event.lease === null ? "no lease" : event.epoch === epoch ? "lease renewed" : "new epoch";
    case "head/claim-effect":
    case "head/claim-obligation":
      return "claim";
    default:
      return event.kind.replace("head/", "");
  }
}
