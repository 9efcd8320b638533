import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Tape } from "../../src/model/tape.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

/** A store with one eventful run, at fixed times. */
export interface Story extends AsyncDisposable {
  readonly tape: Tape;
  readonly clock: FakeClock;
  readonly runId: string;
}

/** A run that moved money: a sweep went well, a wire's answer was lost, a person is asked. */
export async function tellStory(): Promise<Story> {
  const clock = new FakeClock(new Date(2026, 10, 23, 12, 0, 0, 0).getTime());
  const store = new MemoryStore();
  await store.migrate({ dryRun: false });
  const engine = new Engine({ store, clock, reactors: false });
  const tape = engine.tape(localAccess);
  const { runId, leaseEpoch } = await tape.beginRun({
    appName: "treasury",
    userId: "ops",
    sessionId: "close-of-day",
    invocationId: "2026-11-23",
    leaseOwner: "agent-1",
    agentId: "sweeper",
    scopes: ["wire"],
    labels: { env: "test", team: "cash" },
  });
  const epoch = { leaseEpoch };
  await tape.setBudget({ runId, usdCap: 5 }, epoch);
  await clock.advance(12);
  await tape.recordDecision(
    { runId, decisionIndex: 0, model: "scripted", responseJson: '{"sweep":100}', policyVersion: "p7" },
    epoch,
  );
  await tape.chargeBudget({ runId, usd: 0.0125, tokens: 1200 }, epoch);
  const sweep = await tape.beginEffect({ runId, decisionIndex: 0, toolName: "sweep", requestJson: "{}" }, epoch);
  await tape.registerCompensation({ runId, effectKey: sweep.idempotencyKey, kind: "unsweep" }, epoch);
  await clock.advance(1234);
  await tape.completeEffect({ runId, idempotencyKey: sweep.idempotencyKey, status: "CONFIRMED" }, epoch);
  await tape.recordDecision({ runId, decisionIndex: 1, model: "scripted" }, epoch);
  await tape.chargeBudget({ runId, usd: 0.5, tokens: 30_000 }, epoch);
  const wire = await tape.beginEffect(
    {
      runId,
      decisionIndex: 1,
      toolName: "wire",
      semantics: "NON_IDEMPOTENT",
      dispatchMode: "OUTBOX",
      connector: "bank",
      businessKey: "invoice 4711",
      scope: "wire",
    },
    epoch,
  );
  const claimed = { runId, idempotencyKey: wire.idempotencyKey };
  await tape.claimEffectDispatch({ ...claimed, claimer: "dispatcher-1" });
  await clock.advance(250);
  await tape.recordDispatchAttempt(
    { ...claimed, error: "no answer from the bank in 30 s", nextDispatchAtMs: 0 },
    { claimer: "dispatcher-1" },
  );
  await tape.setTimer(
    {
      runId,
      timerId: "ask-again",
      kind: "gate_timeout",
      fireAtMs: clock.now() + 3_600_000,
      payloadJson: '{"gate":"approval","resolution":{"approved":false}}',
    },
    epoch,
  );
  await tape.awaitSignal({ runId, gateName: "approval", payloadJson: '{"question":"pay?"}' }, epoch);
  await clock.advance(61_000);
  return {
    tape,
    clock,
    runId,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await store.close();
    },
  };
}
