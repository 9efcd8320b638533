import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineScene, newEffect, type EngineScene } from "../../test/engine/engine-scene.ts";
import { settle, withResolvers, type AppendAct } from "../../test/engine/scripted-store.ts";
import { choreRow, partitionOf, payloadsIndex, retireIndex, runRow } from "../codec/row-id.ts";
import { timeKey } from "../codec/time-key.ts";
import { TapeError } from "../errors.ts";
import type { Tape } from "../model/tape.ts";
import { FaultyStore } from "../testing/faulty-store.ts";
import { ForwardingStore } from "../testing/forwarding-store.ts";
import { seededRandom } from "../testing/random.ts";
import { Engine } from "./engine.ts";
import type { RetentionPass } from "./retention.ts";

const minuteMs = 60_000;
/** Payloads go after an hour, runs after three. */
const bounds = { payloadsMs: 60 * minuteMs, runsMs: 180 * minuteMs };
const local = partitionOf("");

let scene: EngineScene;
let passes: RetentionPass[];
beforeEach(async () => {
  scene = await engineScene();
  passes = [];
});
afterEach(async () => {
  await scene.close();
});

const retaining = () => ({ retention: bounds, onRetention: (done: RetentionPass) => void passes.push(done) });

/** A run of this name with one decision and a settled effect that has a business key. */
async function newRun(tape: Tape, name: string): Promise<string> {
  const identity = { appName: "app", userId: "user", sessionId: "session", invocationId: name, scopes: ["pay"] };
  const { runId } = await tape.beginRun(identity);
  await tape.recordDecision({ runId, decisionIndex: 0, responseJson: '"secret"' });
  await newEffect(tape, runId, "mail", { businessKey: `invoice of ${name}` });
  await tape.completeEffect({ runId, idempotencyKey: "mail", status: "CONFIRMED", responseJson: '"secret"' });
  return runId;
}

async function endedRun(tape: Tape, name: string): Promise<string> {
  const runId = await newRun(tape, name);
  await tape.endRun({ runId, status: "TERMINAL" });
  return runId;
}

/** `full`, `compacted`, or `deleted`. */
async function stateOf(tape: Tape, runId: string): Promise<string> {
  try {
    const { decision } = await tape.getDecision({ runId, decisionIndex: 0 });
    return decision?.responseJson === "" ? "compacted" : "full";
  } catch (error) {
    if (error instanceof TapeError && error.reason === "RUN_NOT_FOUND") return "deleted";
    throw error;
  }
}

const statesOf = (tape: Tape, runs: readonly string[]) => Promise.all(runs.map((runId) => stateOf(tape, runId)));

/** Lets time go on, with enough turns of the event loop for whole passes. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5 * minuteMs) {
    await scene.clock.advance(Math.min(left, 5 * minuteMs));
    await settle(20);
  }
}

describe("retention", () => {
  it("removes the payloads of a run so long after its end, and the run later; not before", async () => {
    const { tape } = scene.open(retaining());
    await tape.beginRun({ appName: "app", invocationId: "still running" });
    const runId = await endedRun(tape, "one");
    await pass(59 * minuteMs);
    expect(await stateOf(tape, runId)).toBe("full");
    await pass(6 * minuteMs);
    expect(await stateOf(tape, runId)).toBe("compacted");
    await pass(114 * minuteMs);
    expect(await stateOf(tape, runId)).toBe("compacted");
    await pass(6 * minuteMs);
    expect(await stateOf(tape, runId)).toBe("deleted");
    const { runs } = await tape.inspect.listRuns();
    expect(runs.map((run) => run.invocationId)).toEqual(["still running"]);
    await expect(tape.inspect.readJournal({ runId })).rejects.toMatchObject({ reason: "RUN_NOT_FOUND" });
    expect((await tape.listRunsToRecover({ nowMs: scene.clock.now() })).runs).toHaveLength(1);
  });

  it("looks at everything that is due in one pass, however short the pages of the index are", async () => {
    const { tape, store } = scene.open(retaining());
    const scan = store.scan.bind(store);
    store.scan = (index, options) => scan(index, { ...options, limit: 3 });
    for (let n = 0; n < 10; n += 1) await endedRun(tape, `run ${n}`);
    await pass(66 * minuteMs);
    expect(Math.max(...passes.map(({ compactedRuns }) => compactedRuns))).toBe(10);
  });

  it("removes both together when only runs are bounded, and no runs when only payloads are", async () => {
    const together = scene.open({ retention: { runsMs: 60 * minuteMs } });
    const first = await endedRun(together.tape, "one");
    await pass(66 * minuteMs);
    expect(await stateOf(together.tape, first)).toBe("deleted");
    await together.engine.close();
    const { tape } = scene.open({ retention: { payloadsMs: 60 * minuteMs } });
    const second = await endedRun(tape, "two");
    await pass(600 * minuteMs);
    expect(await stateOf(tape, second)).toBe("compacted");
  });

  it("does nothing unless it is asked for", async () => {
    const { tape, engine } = scene.open({});
    const runId = await endedRun(tape, "one");
    await pass(600 * minuteMs);
    expect(await stateOf(tape, runId)).toBe("full");
    expect(engine.stats()).toMatchObject({ compactedRuns: 0, deletedRuns: 0, retentionFailures: 0 });
  });

  it("leaves a run alone while something of it is open, however old it is", async () => {
    const { tape } = scene.open(retaining());
    const [unknown, pending, due] = [await newRun(tape, "u"), await newRun(tape, "p"), await newRun(tape, "d")];
    for (const runId of [unknown, pending, due]) await newEffect(tape, runId, "open");
    const open = { idempotencyKey: "open" };
    await tape.completeEffect({ runId: unknown, ...open, status: "UNKNOWN" });
    await tape.recordExternalObservation({
      runId: due,
      ...open,
      resolution: "DUPLICATE",
      compensateOnDuplicateKind: "refund",
    });
    for (const runId of [unknown, pending, due]) await tape.endRun({ runId, status: "FAILED" });
    await pass(400 * minuteMs);
    expect(await statesOf(tape, [unknown, pending, due])).toEqual(["full", "full", "full"]);
    await tape.reconcileEffect({ runId: unknown, ...open, resolvedStatus: "FAILED" });
    await tape.completeEffect({ runId: pending, ...open, status: "CONFIRMED" });
    const [obligation] = (await tape.listObligations({ runId: due })).obligations;
    await tape.resolveObligation({ runId: due, obligationSeq: obligation?.seq ?? 0, status: "COMPENSATED" });
    await pass(5 * minuteMs);
    expect(await statesOf(tape, [unknown, pending, due])).toEqual(["deleted", "deleted", "deleted"]);
  });

  it("keeps of a deleted run only what no other run may take for its own", async () => {
    const { tape } = scene.open(retaining());
    const runId = await endedRun(tape, "one");
    await pass(190 * minuteMs);
    expect(await stateOf(tape, runId)).toBe("deleted");
    const identity = { appName: "app", userId: "user", sessionId: "session", invocationId: "one" };
    expect(await tape.beginRun(identity)).toMatchObject({ runId, resumed: true, status: "TERMINAL", leaseEpoch: 0 });
    const other = await tape.beginRun({ ...identity, invocationId: "two", scopes: ["pay"] });
    const taken = newEffect(tape, other.runId, "mail", { businessKey: "invoice of one" });
    await expect(taken).rejects.toMatchObject({ reason: "BUSINESS_KEY_USED" });
    await newEffect(tape, other.runId, "mail", { businessKey: "invoice of two" });
    const slice = await scene.memory.read(runRow(local, runId));
    expect(slice?.entries).toEqual([]);
    expect(Buffer.from(slice?.head ?? []).toString()).not.toMatch(/session|secret|invoice/);
    for (const index of [payloadsIndex, retireIndex, `${local}/compact`]) {
      expect((await scene.memory.scan(index, { limit: 10 })).items).toEqual([]);
    }
  });

  it("never tells payloads again that are gone, also while the run is being deleted (R75)", async () => {
    const { tape, store } = scene.open(retaining(), { exclusive: false });
    const runId = await endedRun(tape, "one");
    await pass(70 * minuteMs);
    const [checked, deleting, deleted] = [
      withResolvers<undefined>(),
      withResolvers<undefined>(),
      withResolvers<undefined>(),
    ];
    // The answer is decided, and waits to hear that the row is still as it was.
    store.nextReads.push(async (_row, go) => {
      await checked.promise;
      return go();
    });
    const answer = tape.getDecision({ runId, decisionIndex: 0 });
    const holdDeletion: AppendAct = async (batch, go) => {
      if (batch.some(({ row }) => row === runRow(local, runId))) {
        deleting.resolve(undefined);
        await deleted.promise;
      } else store.nextAppends.push(holdDeletion);
      return go();
    };
    store.nextAppends.push(holdDeletion);
    await pass(120 * minuteMs);
    await deleting.promise;
    checked.resolve(undefined);
    const told = await answer;
    deleted.resolve(undefined);
    expect(told).toMatchObject({ found: true, decision: { responseJson: "" } });
    await settle();
    expect(await stateOf(tape, runId)).toBe("deleted");
  });

  it("leaves the feed in order: a cursor stays valid, and others' entries come as they were", async () => {
    const { tape } = scene.open(retaining());
    const old = await endedRun(tape, "old");
    const kept = await newRun(tape, "kept");
    const all = (await scene.memory.tail({ after: 0, limit: 100 })).entries;
    const middle = all[2]?.position ?? 0;
    await pass(190 * minuteMs);
    expect(await stateOf(tape, old)).toBe("deleted");
    const left = (await scene.memory.tail({ after: middle, limit: 100 })).entries;
    expect(left).toEqual(all.filter(({ row, position }) => row === runRow(local, kept) && position > middle));
  });

  it("leaves sessions and values alone", async () => {
    const { tape } = scene.open(retaining());
    const session = { appName: "app", userId: "user", sessionId: "session" };
    await tape.createSession(session);
    await tape.appendEvent({ ...session, event: { author: "a", contentJson: '"kept"' } });
    await tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
    await endedRun(tape, "one");
    await pass(190 * minuteMs);
    expect((await tape.getSession(session)).session?.events[0]?.contentJson).toBe('"kept"');
    expect((await tape.getValue({ namespace: "n", key: "k" })).value?.valueJson).toBe("1");
  });

  it("is done for all tenants", async () => {
    const { engine } = scene.open(retaining());
    const tape = engine.tape({ partition: "acme", tenant: "acme" });
    const runId = await endedRun(tape, "one");
    await pass(190 * minuteMs);
    expect(await stateOf(tape, runId)).toBe("deleted");
  });

  it("says what each pass did, and counts it", async () => {
    const { tape, engine } = scene.open(retaining());
    for (let i = 0; i < 20; i += 1) await endedRun(tape, `run ${i}`);
    await pass(66 * minuteMs);
    expect(passes.filter(({ compactedRuns }) => compactedRuns > 0)).toEqual([
      { compactedRuns: 20, deletedRuns: 0, deletedTasks: 0, failedRuns: 0, isComplete: true },
    ]);
    await pass(120 * minuteMs);
    expect(engine.stats()).toMatchObject({ compactedRuns: 20, deletedRuns: 20, retentionFailures: 0 });
  });
});

describe("retention on several servers", () => {
  const owner = async (): Promise<unknown> => {
    const slice = await scene.memory.read(choreRow("retention"), { limit: 0 });
    return slice === null ? null : JSON.parse(Buffer.from(slice.head).toString());
  };

  it("is one server's at a time, and done once", async () => {
    const servers = [1, 2, 3].map(() => scene.open(retaining(), { exclusive: false }));
    const { tape } = scene.open({}, { exclusive: false });
    const runs = await Promise.all([1, 2, 3, 4].map((i) => endedRun(tape, `run ${i}`)));
    await pass(190 * minuteMs);
    expect(await statesOf(tape, runs)).toEqual(runs.map(() => "deleted"));
    const done = servers.map(({ engine }) => engine.stats());
    expect(done.reduce((sum, { compactedRuns }) => sum + compactedRuns, 0)).toBe(4);
    expect(done.reduce((sum, { deletedRuns }) => sum + deletedRuns, 0)).toBe(4);
    expect(passes.length).toBeLessThan(90);
  });

  it("is taken over when the server that does it dies", async () => {
    const dead = scene.open({}, { exclusive: false });
    const runId = await endedRun(dead.tape, "one");
    await pass(70 * minuteMs);
    // It takes the chore and is never heard of again: its next append hangs.
    const hanging = scene.open(retaining(), { exclusive: false });
    const held = hanging.store.hold();
    held.release();
    const stuck = hanging.store.hold();
    await settle(20);
    expect(await owner()).toMatchObject({ epoch: 1, done_at_ms: 0 });
    const { tape } = scene.open(retaining(), { exclusive: false });
    await pass(minuteMs - 10_000);
    expect(await stateOf(tape, runId)).toBe("full");
    await pass(2 * minuteMs);
    expect(await stateOf(tape, runId)).toBe("compacted");
    expect(await owner()).toMatchObject({ epoch: 2, owner: "" });
    stuck.release();
    await settle(20);
    expect(await stateOf(tape, runId)).toBe("compacted");
  });

  it("stops at once when its server does, and another goes on at once", async () => {
    const first = scene.open({}, { exclusive: false });
    const runs: string[] = [];
    for (let i = 0; i < 40; i += 1) runs.push(await endedRun(first.tape, `run ${i}`));
    await pass(70 * minuteMs);
    const stopping = scene.open(retaining(), { exclusive: false });
    await settle(40);
    await stopping.engine.close();
    const some = (await statesOf(first.tape, runs)).filter((state) => state === "compacted").length;
    expect(some).toBeGreaterThan(0);
    expect(some).toBeLessThan(40);
    expect(passes).toContainEqual(expect.objectContaining({ compactedRuns: some, isComplete: false }));
    scene.open(retaining(), { exclusive: false });
    await settle(20);
    await pass(minuteMs);
    expect(new Set(await statesOf(first.tape, runs))).toEqual(new Set(["compacted"]));
  });
});

/** A store that dies after so many operations. */
class DyingStore extends ForwardingStore {
  left: number;

  constructor(inner: ForwardingStore["inner"], left: number) {
    super(inner);
    this.left = left;
  }

  override append(...[batch]: Parameters<ForwardingStore["append"]>): ReturnType<ForwardingStore["append"]> {
    return this.#step(() => super.append(batch));
  }

  override read(...[row, options]: Parameters<ForwardingStore["read"]>): ReturnType<ForwardingStore["read"]> {
    return this.#step(() => super.read(row, options));
  }

  override scan(...[index, options]: Parameters<ForwardingStore["scan"]>): ReturnType<ForwardingStore["scan"]> {
    return this.#step(() => super.scan(index, options));
  }

  #step<T>(go: () => Promise<T>): Promise<T> {
    this.left -= 1;
    return this.left < 0 ? Promise.reject(new TapeError("STORE_UNAVAILABLE", "the store is dead")) : go();
  }
}

describe("retention that is interrupted", () => {
  it("goes on where a server died, whichever step it died at", async () => {
    const { tape } = scene.open({}, { exclusive: false });
    const retention = { runsMs: 60 * minuteMs };
    const reached = new Set<string>();
    for (let steps = 0; steps < 30; steps += 1) {
      const runs = [await endedRun(tape, `a ${steps}`), await endedRun(tape, `b ${steps}`)];
      await pass(70 * minuteMs);
      const dying = new Engine({ store: new DyingStore(scene.memory, steps), clock: scene.clock, retention });
      dying.start();
      await settle(40);
      reached.add((await statesOf(tape, runs)).join());
      const next = new Engine({ store: scene.memory, clock: scene.clock, retention });
      next.start();
      await pass(5 * minuteMs);
      expect(await statesOf(tape, runs)).toEqual(["deleted", "deleted"]);
      await next.close();
      await dying.close();
    }
    expect([...reached]).toEqual(["full,full", "compacted,compacted", "deleted,deleted"]);
  });

  it.each([1, 2, 3, 4, 5, 6])("comes to its end on a store that fails all the time (seed %i)", async (seed) => {
    const { tape } = scene.open({}, { exclusive: false });
    const runs: string[] = [];
    for (let i = 0; i < 12; i += 1) runs.push(await endedRun(tape, `run ${i}`));
    const faulty = new FaultyStore(scene.memory, { random: seededRandom(seed), atomicIndex: false });
    const engine = new Engine({ store: faulty, clock: scene.clock, retention: bounds });
    engine.start();
    await pass(200 * minuteMs);
    expect(await statesOf(tape, runs)).toEqual(runs.map(() => "deleted"));
    await engine.close();
  });

  it("does all others when one run cannot be read", async () => {
    const { tape } = scene.open({}, { exclusive: false });
    const runs = [await endedRun(tape, "one"), await endedRun(tape, "two")];
    const row = runRow(local, runs[0] ?? "");
    const { version: expect_ = 0 } = (await scene.memory.read(row, { limit: 0 })) ?? {};
    const broken = { row, expect: expect_, commitId: "x", head: Buffer.from("{"), entries: [] };
    await scene.memory.append([{ ...broken, index: { add: [], remove: [] } }]);
    const { engine } = scene.open(retaining(), { exclusive: false });
    await pass(190 * minuteMs);
    expect(await stateOf(tape, runs[1] ?? "")).toBe("deleted");
    expect(engine.stats().retentionFailures).toBeGreaterThan(0);
    expect(passes.some(({ failedRuns, isComplete }) => failedRuns === 1 && isComplete)).toBe(true);
  });

  it("removes a key whose run has nothing for it, where the store may have left one over", async () => {
    const { tape } = scene.open(retaining(), { atomicIndex: false });
    const { runId } = await tape.beginRun({ appName: "app", invocationId: "live" });
    const row = runRow(local, runId);
    const slice = await scene.memory.read(row);
    const stale = { index: payloadsIndex, key: timeKey(1) };
    const { version: expect_ = 0, head = Buffer.from("") } = slice ?? {};
    const again = { row, expect: expect_, commitId: "x", head, entries: [] };
    await scene.memory.append([{ ...again, index: { add: [stale], remove: [] } }]);
    await pass(10 * minuteMs);
    expect((await scene.memory.scan(payloadsIndex, { limit: 10 })).items).toEqual([]);
    expect(await tape.getRun({ runId })).toMatchObject({ status: "RUNNING" });
  });
});
