import { TapeError } from "../../../src/errors.ts";
import { knownBelow } from "../audit/run-entries.ts";
import type { Life } from "./actor.ts";
import { gateOf, type Script, type ScriptStep } from "./script.ts";
import { scriptOf, type Stage } from "./stage.ts";

interface Drive {
  readonly life: Life;
  readonly stage: Stage;
  readonly script: Script;
  readonly runId: string;
  readonly leaseEpoch: number;
}

/** Why an act is left out. */
const refusals: ReadonlySet<string> = new Set(["BUSINESS_KEY_USED", "SCOPE_NOT_GRANTED"]);
const pollMs = 1500;
const mostPolls = 12;
/** How much later a timer goes off that is moved. */
const movedByMs = 4000;

/** One round of an agent: it begins a run, or takes one that nobody drives any more, and does what it can of it. */
export async function agentRound(life: Life, stage: Stage): Promise<void> {
  const fresh = stage.scripts.filter(({ number }) => !stage.begun.has(number));
  if (fresh.length > 0 && life.world.random.chance(0.6)) await beginOne(life, stage, life.world.random.pick(fresh));
  else await recoverOne(life, stage);
}

async function beginOne(life: Life, stage: Stage, script: Script): Promise<void> {
  const { runId, leaseEpoch, status } = await life.call(stage.calls.begin(script.number, life.name));
  stage.begun.set(script.number, runId);
  if (status === "RUNNING") await drive({ life, stage, script, runId, leaseEpoch });
}

async function recoverOne(life: Life, stage: Stage): Promise<void> {
  const { runs } = await life.call({
    method: "ListRunsToRecover",
    about: "",
    send: (tape, options) => tape.listRunsToRecover({ limit: 4 }, options),
  });
  if (runs.length === 0) return;
  const { runId } = life.world.random.pick(runs);
  const script = scriptOf(stage, runId);
  if (script === undefined) {
    // Whoever began it died before it knew: as good as begun.
    const unknown = stage.scripts.find(({ number }) => runs.some((run) => run.invocationId === `run-${number}`));
    if (unknown !== undefined) await beginOne(life, stage, unknown);
    return;
  }
  const { leaseEpoch } = await life.call(stage.calls.resume(runId, life.name));
  await drive({ life, stage, script, runId, leaseEpoch });
}

/** Replays the script from its start: what is recorded is answered from the record, what is not is done. */
async function drive(drives: Drive): Promise<void> {
  const { life, stage, script, runId, leaseEpoch } = drives;
  for (const [i, step] of script.steps.entries()) if (!(await perform(drives, i, step))) return;
  for (let tries = 0; tries < mostPolls; tries += 1) {
    try {
      await life.call(stage.calls.end(runId, script.ending, { leaseEpoch, requestId: life.requestId() }));
      return;
    } catch (error) {
      if (!(error instanceof TapeError) || error.reason !== "EFFECTS_UNKNOWN") throw error;
    }
    await life.sleep(pollMs);
  }
}

/** Does one step. False: the run has to wait, and somebody else may go on with it. */
async function perform(drives: Drive, i: number, step: ScriptStep): Promise<boolean> {
  switch (step.kind) {
    case "decide":
      await decide(drives, i);
      return true;
    case "inline":
      await actInline(drives, i, step.promised);
      return true;
    case "outbox":
      return actByOutbox(drives, i, step);
    case "charge":
      await charge(drives, i, step.known);
      return true;
    case "gate":
      return (
        (await passGate(drives, i, step.answeredBy, 1)) &&
        (step.answeredBy !== "twice" || passGate(drives, i, step.answeredBy, 2))
      );
    case "timer":
      await useTimer(drives, i, step.timer);
      return true;
    default:
      return step satisfies never;
  }
}

async function decide({ life, stage, runId, leaseEpoch }: Drive, i: number): Promise<void> {
  const thought = `"${life.name} thought ${life.world.number()}"`;
  await life.call(stage.calls.decide(runId, i, thought, { leaseEpoch }));
}

async function actInline({ life, stage, runId, leaseEpoch }: Drive, i: number, promised: boolean): Promise<void> {
  const { calls, ledger, world } = stage;
  const key = `inline-${i}`;
  const request = { runId, toolName: "tool", customKey: key, decisionIndex: i, requestJson: `"${i}"` };
  const { status } = await life.call(calls.beginEffect(request, { leaseEpoch }));
  if (status === "PENDING" || status === "UNKNOWN") {
    await life.crossroads();
    ledger.act(life.name, runId, key, "IDEMPOTENT");
    await life.crossroads();
    const outcome = world.random.pick(["CONFIRMED", "CONFIRMED", "CONFIRMED", "FAILED", "UNKNOWN"] as const);
    await life.call(calls.complete(runId, key, outcome, { leaseEpoch }));
  }
  if (promised) await life.call(calls.promise(runId, key, { leaseEpoch }));
}

async function actByOutbox(
  { life, stage, runId, leaseEpoch }: Drive,
  i: number,
  step: Extract<ScriptStep, { kind: "outbox" }>,
): Promise<boolean> {
  const { semantics, connector, businessKey, scope } = step;
  const request = {
    runId,
    toolName: connector,
    customKey: `outbox-${i}`,
    decisionIndex: i,
    requestJson: `"${i}"`,
    semantics,
    dispatchMode: "OUTBOX",
    connector,
    businessKey,
    scope,
  } as const;
  let key: string;
  try {
    key = (await life.call(stage.calls.beginEffect(request, { leaseEpoch }))).idempotencyKey;
  } catch (error) {
    // Another run has done it, or is about to; or the run may not.
    if (error instanceof TapeError && refusals.has(error.reason)) return true;
    throw error;
  }
  if (step.promised) await life.call(stage.calls.promise(runId, key, { leaseEpoch }));
  for (let polls = 0; step.awaited && polls < mostPolls; polls += 1) {
    const { effect } = await life.call(stage.calls.getEffect(runId, key));
    if (effect?.status === "CONFIRMED" || effect?.status === "FAILED") return true;
    await life.sleep(pollMs);
  }
  return true;
}

/** Every charge has an amount of its own, so that the journal says how often each was counted. */
async function charge({ life, stage, runId, leaseEpoch }: Drive, i: number, known: boolean): Promise<void> {
  // An amount that belongs to the step is charged with a request id that belongs to it too: a replay is a retry.
  const options = known ? { leaseEpoch, requestId: `charge-${i}` } : { leaseEpoch };
  const tokens = known ? i + 1 : knownBelow + life.world.number();
  await life.call(stage.calls.charge(runId, tokens, options));
}

async function passGate(drives: Drive, i: number, answeredBy: string, occurrence: number): Promise<boolean> {
  const { life, stage, runId, leaseEpoch } = drives;
  const gate = gateOf(i);
  if (answeredBy === "timeout") {
    await setTimer(drives, i, "gate_timeout", `timeout-${i}`, JSON.stringify({ gate, resolution: { late: true } }));
  }
  const { delivered } = await life.call(stage.calls.wait(runId, gate, { leaseEpoch, gateOccurrence: occurrence }));
  return delivered;
}

/** Sets a timer, and perhaps moves or cancels it, unless it has fired by then. */
async function useTimer(drives: Drive, i: number, timer: string): Promise<void> {
  const { life, stage, runId, leaseEpoch } = drives;
  const timerId = `timer-${i}`;
  const isBuiltIn = timer === "redrive";
  try {
    await setTimer(drives, i, isBuiltIn ? timer : "remind", timerId, "");
    if (timer === "moved") await setTimer(drives, i, "remind", timerId, "", movedByMs);
  } catch (error) {
    if (!(error instanceof TapeError) || error.reason !== "TRANSITION_NOT_ALLOWED" || timer !== "moved") throw error;
  }
  if (timer === "cancelled") await life.call(stage.calls.cancelTimer(runId, timerId, { leaseEpoch }));
}

async function setTimer(
  drives: Drive,
  i: number,
  kind: string,
  timerId: string,
  payloadJson: string,
  laterMs = 0,
): Promise<void> {
  const { life, stage, script, runId, leaseEpoch } = drives;
  // The same time whoever sets it, and whenever: a replay changes nothing.
  const fireAtMs = Date.UTC(2026, 0, 1) + 5000 * (i + 1) + 977 * script.number + laterMs;
  await life.call(stage.calls.setTimer({ runId, timerId, kind, fireAtMs, payloadJson }, { leaseEpoch }));
}
