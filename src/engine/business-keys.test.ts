import { describe, expect, it } from "vitest";
import { Interleaving } from "../../test/engine/interleaving-store.ts";
import { ScriptedStore, withResolvers } from "../../test/engine/scripted-store.ts";
import { runRow, partitionOf } from "../codec/row-id.ts";
import type { TapeError } from "../errors.ts";
import { localAccess } from "../model/access.ts";
import type { Tape } from "../model/tape.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Store } from "../store/store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { seededRandom } from "../testing/random.ts";
import { Engine } from "./engine.ts";

/*
 * R22: a business key belongs to one effect for ever. Two rows are involved and there is no transaction over both, so
 * every order in which the steps of the contenders may come is tried out.
 */

const begin = (tape: Tape, runId: string) =>
  tape.beginEffect({ runId, decisionIndex: 0, toolName: "wire", connector: "bank", businessKey: "order 1" });

/** How an attempt to begin the effect ended. */
const ending = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => "began",
    (error: TapeError) => error.reason,
  );

async function startRuns(store: Store, count: number): Promise<readonly string[]> {
  const engine = new Engine({ store, clock: new FakeClock(), reactors: false });
  const tape = engine.tape(localAccess);
  const runs = Array.from({ length: count }, (_, i) => tape.beginRun({ appName: "app", invocationId: `run ${i}` }));
  const ids = (await Promise.all(runs)).map(({ runId }) => runId);
  await engine.close();
  return ids;
}

interface Contest {
  readonly endings: readonly string[];
  /** How many effects with the key have really been written. */
  readonly written: number;
  readonly steps: number;
}

/**
 * Some servers, each with a run that wants the key, in the order that `choose` says. With `chaos` they do more than
 * that, answers come late, and calls of one server overtake each other.
 */
async function contest(
  contenders: number,
  choose: (step: number, wanting: readonly number[]) => number,
  chaos?: () => number,
): Promise<Contest> {
  const memory = new MemoryStore();
  await memory.open();
  const runIds = await startRuns(memory, contenders);
  const interleaving = new Interleaving(memory, chaos !== undefined);
  const engines = runIds.map(
    (_, who) => new Engine({ store: interleaving.store(who), clock: new FakeClock(), reactors: false }),
  );
  const attempts = engines.map((engine, i) => {
    const tape = engine.tape(localAccess);
    const runId = runIds[i] ?? "";
    if (chaos === undefined) return ending(begin(tape, runId));
    const first = { runId: runIds[0] ?? "" };
    void Promise.allSettled([tape.getRun({ runId }), tape.chargeBudget({ ...first, tokens: 1 })]);
    const attempt = ending(begin(tape, runId));
    void Promise.allSettled([tape.getRun({ runId }), tape.getRun(first)]);
    return attempt;
  });
  const steps = await interleaving.run(choose, chaos);
  const endings = await Promise.all(attempts);
  let written = 0;
  for (const runId of runIds) {
    const row = await memory.read(runRow(partitionOf(""), runId));
    written += row?.entries.filter((entry) => entry.kind === "effect/pending").length ?? 0;
  }
  return { endings, written, steps };
}

/** What must be the same in whatever order. */
const summary = ({ endings, written }: Contest): object => ({
  began: endings.filter((end) => end === "began").length,
  refused: endings.filter((end) => end === "BUSINESS_KEY_USED").length,
  written,
});

describe("a business key that two servers want at once", () => {
  it("goes to one of them, wherever each is paused while the other goes on", async () => {
    const { steps } = await contest(2, () => 0);
    expect(steps).toBeGreaterThan(6);
    // Every order with up to three changes from one server to the other.
    for (let first = 0; first <= steps; first += 1) {
      for (let second = first; second <= steps + 6; second += 1) {
        for (const third of [second + 1, second + 2, second + 4, Infinity]) {
          const result = await contest(2, (step) => (step < first ? 0 : step < second ? 1 : step < third ? 0 : 1));
          const order = [first, second, third];
          expect({ order, ...summary(result) }).toEqual({ order, began: 1, refused: 1, written: 1 });
        }
      }
    }
  });

  it("goes to one of them in any of many random orders, also of three", async () => {
    const random = seededRandom(7);
    for (let i = 0; i < 300; i += 1) {
      const seed = random.int(2 ** 32);
      const turn = seededRandom(seed);
      const others = 1 + (i % 2);
      const result = await contest(
        1 + others,
        (_step, wanting) => turn.pick(wanting),
        i % 4 < 2 ? undefined : () => turn.int(3),
      );
      expect({ seed, ...summary(result) }).toEqual({ seed, began: 1, refused: others, written: 1 });
    }
  });
});

describe("a business key whose owner is gone, or slow", () => {
  const open = (store: Store): Tape => new Engine({ store, clock: new FakeClock(), reactors: false }).tape(localAccess);

  it("before it wrote its effect is taken over, and the owner can no longer write it", async () => {
    const memory = new MemoryStore();
    await memory.open();
    const [gone = "", alive = ""] = await startRuns(memory, 2);
    const store = new ScriptedStore(memory, { exclusive: false });
    store.nextAppends.push((_batch, go) => go());
    const effect = store.hold();
    const late = ending(begin(open(store), gone));
    await effect.arrived;
    expect(await ending(begin(open(memory), alive))).toBe("began");
    effect.release();
    expect(await late).toBe("BUSINESS_KEY_USED");
  });

  it("and learns by another call that its run was written, after it was told that the key is its own", async () => {
    const memory = new MemoryStore();
    await memory.open();
    const [late = "", quick = ""] = await startRuns(memory, 2);
    const store = new ScriptedStore(memory, { exclusive: false });
    const answered = withResolvers<undefined>();
    const asserted = withResolvers<undefined>();
    store.nextAppends.push(async (_batch, go) => {
      const outcome = await go();
      asserted.resolve(undefined);
      await answered.promise;
      return outcome;
    });
    const tape = open(store);
    const attempt = ending(begin(tape, late));
    await asserted.promise;
    expect(await ending(begin(open(memory), quick))).toBe("began");
    await tape.getRun({ runId: late });
    answered.resolve(undefined);
    expect(await attempt).toBe("BUSINESS_KEY_USED");
  });

  it("after it wrote its effect stays its own, also for its own run again", async () => {
    const memory = new MemoryStore();
    await memory.open();
    const [gone = "", alive = ""] = await startRuns(memory, 2);
    expect(await ending(begin(open(memory), gone))).toBe("began");
    expect(await ending(begin(open(memory), alive))).toBe("BUSINESS_KEY_USED");
    const { idempotencyKey } = await begin(open(memory), gone);
    expect(idempotencyKey).toBe(`${gone}/decision-0/wire/0`);
  });
});
