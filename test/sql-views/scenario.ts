import { openTape } from "../../src/open-tape.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

/** When everything happens. */
export const noon = "2026-01-01T12:00:00.000Z";
export const aMinuteLater = "2026-01-01T12:01:00.000Z";
const minute = 60_000;

/** What the scenario's calls have named. */
export interface Recorded {
  readonly runId: string;
  /** Keys of its two effects: one confirmed, one claimed for the second time. */
  readonly sweep: string;
  readonly wire: string;
}

/** Records something of everything that a view shows, through the engine. */
export async function recordScenario(url: string): Promise<Recorded> {
  const clock = new FakeClock(Date.parse(noon));
  await using tape = await openTape(url, { clock });
  const { runId } = await tape.beginRun({
    appName: "treasury",
    userId: "ada",
    sessionId: "s-1",
    invocationId: "i-1",
    leaseOwner: "worker-1",
    leaseTtlMs: minute,
    scopes: ["pay"],
    labels: { team: "cash" },
    actor: "bot",
  });
  await tape.setBudget({ runId, usdCap: 5, tokenCap: 1000 });
  await tape.recordDecision({ runId, decisionIndex: 0, model: "m-1", rationale: 'it\'s "due"', responseJson: "{}" });
  const { idempotencyKey: sweep } = await tape.beginEffect({
    runId,
    decisionIndex: 0,
    toolName: "sweep",
    requestJson: "{}",
  });
  await tape.completeEffect({ runId, idempotencyKey: sweep, status: "CONFIRMED", responseJson: "{}" });
  const { idempotencyKey: wire } = await tape.beginEffect({
    runId,
    decisionIndex: 0,
    toolName: "wire",
    callIndex: 1,
    semantics: "NON_IDEMPOTENT",
    dispatchMode: "OUTBOX",
    connector: "bank",
    businessKey: "invoice-7",
    scope: "pay",
  });
  await tape.claimEffectDispatch({ runId, idempotencyKey: wire, claimer: "d-1", leaseTtlMs: minute });
  await tape.recordDispatchAttempt({ runId, idempotencyKey: wire, error: "timed out", nextDispatchAtMs: clock.now() });
  await tape.claimEffectDispatch({ runId, idempotencyKey: wire, claimer: "d-2", leaseTtlMs: minute });
  await tape.registerCompensation({ runId, effectKey: sweep, kind: "unsweep", payloadJson: "{}" });
  await tape.chargeBudget({ runId, usd: 0.0123, tokens: 42 });
  await tape.writeValue({ namespace: "rates", key: "eur", valueJson: "1.1", writer: "ada" });
  await tape.writeValue({ namespace: "rates", key: "eur", valueJson: "1.2", writer: "bob" });
  await tape.writeValue({ namespace: "rates", key: "gone", valueJson: "1" });
  await tape.deleteValue({ namespace: "rates", key: "gone" });
  const session = { appName: "treasury", userId: "ada", sessionId: "s-1" };
  await tape.createSession({ ...session, stateJson: '{"mood":"good"}' });
  await tape.appendEvent({ ...session, event: { id: "e-1", author: "user", contentJson: "{}" } });
  return { runId, sweep, wire };
}
