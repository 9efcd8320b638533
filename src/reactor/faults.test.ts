import { describe, expect, it } from "vitest";
import { settle } from "../../test/engine/scripted-store.ts";
import { Engine } from "../engine/engine.ts";
import { localAccess } from "../model/access.ts";
import { TapeError } from "../errors.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import type { Append, AppendOutcome, CallContext, StoreCapabilities } from "../store/store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { FaultyStore } from "../testing/faulty-store.ts";
import { ForwardingStore } from "../testing/forwarding-store.ts";
import { seededRandom, type Random } from "../testing/random.ts";
import { reactor } from "./reactor.ts";

/** A store whose server can be killed: from then on nothing it does gets through. */
class Mortal extends ForwardingStore {
  isDead = false;

  override get capabilities(): StoreCapabilities {
    return { ...this.inner.capabilities, exclusive: false };
  }

  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    if (this.isDead) throw new TapeError("STORE_UNAVAILABLE", "killed");
    return super.appendUntracked(batch, options);
  }
}

const entries = 30;
const reactions = [
  { reactionId: "all", numShards: 2, predicateCel: "" },
  { reactionId: "even", numShards: 1, predicateCel: "payload.decision_index % 2 == 0" },
  { reactionId: "bursts", numShards: 3, predicateCel: "", debounceMs: 400 },
];

/** What a reaction's tasks are about, and what they should be. */
type Made = readonly (readonly [reactionId: string, found: readonly number[], wanted: readonly number[]])[];

async function play(random: Random): Promise<Made> {
  const memory = new MemoryStore();
  await memory.open();
  const clock = new FakeClock();
  const opened: Engine[] = [];
  let servers: { readonly store: Mortal; readonly engine: Engine }[] = [];
  const start = (): void => {
    const faulty = new FaultyStore(memory, {
      random: random.fork(),
      rates: { interloper: 0.02 },
      ...(random.chance(0.5) ? { atomicIndex: false } : {}),
    });
    const store = new Mortal(faulty);
    const engine = new Engine({ store, clock, reactor: reactor() });
    engine.start();
    opened.push(engine);
    servers.push({ store, engine });
  };
  const calm = new Engine({ store: new Mortal(memory), clock, reactors: false });
  opened.push(calm);
  const tape = calm.tape(localAccess);
  const runs = await Promise.all(
    [1, 2, 3, 4].map(async (n) => (await tape.beginRun({ appName: "app", invocationId: `run ${n}` })).runId),
  );
  for (const reaction of reactions) {
    await tape.registerReaction({ ...reaction, subjectPattern: "/tape/decision/**", handlerKind: "TASK" });
  }
  start();
  /** What the feed is, to say what the bursts are. */
  const written: { readonly runId: string; readonly decisionIndex: number; readonly atMs: number }[] = [];
  for (let decisionIndex = 0; decisionIndex < entries; decisionIndex += 1) {
    const runId = random.pick(runs);
    await tape.recordDecision({ runId, decisionIndex });
    written.push({ runId, decisionIndex, atMs: clock.now() });
    await clock.advance(random.pick([10, 100, 350, 450, 3000]));
    await settle();
    if (random.chance(0.15) && servers.length < 3) start();
    if (random.chance(0.1)) {
      for (const { store } of servers.splice(random.int(servers.length), 1)) store.isDead = true;
    }
  }
  for (const { store } of servers) store.isDead = true;
  servers = [];
  const last = new Engine({ store: new Mortal(memory), clock, reactor: reactor() });
  last.start();
  opened.push(last);
  for (let i = 0; i < 60; i += 1) {
    await clock.advance(500);
    await settle();
  }
  const indexes = written.map(({ decisionIndex }) => decisionIndex);
  const lastOfBursts = written.filter(
    (entry, i) => !written.slice(i + 1).some(({ runId, atMs }) => runId === entry.runId && atMs - entry.atMs < 400),
  );
  const expected = new Map([
    ["all", indexes],
    ["even", indexes.filter((index) => index % 2 === 0)],
    ["bursts", lastOfBursts.map(({ decisionIndex }) => decisionIndex)],
  ]);
  const { tasks } = await tape.listTasks({ limit: 1000 });
  const made = Array.from(expected, ([reactionId, wanted]) => {
    const found = tasks
      .filter((task) => task.reactionId === reactionId)
      .map(({ payloadJson }) => (JSON.parse(payloadJson) as { decision_index: number }).decision_index);
    return [reactionId, found.toSorted((a, b) => a - b), wanted] as const;
  });
  await Promise.all(opened.map((engine) => engine.close()));
  await memory.close();
  return made;
}

describe("servers that are killed now and then, over a store in which everything goes wrong that may", () => {
  it.each(Array.from({ length: 12 }, (_, i) => i + 1))(
    "make exactly the tasks that are due (seed %s)",
    async (seed) => {
      const made = await play(seededRandom(seed));
      expect(made.map(([id, found]) => [id, found])).toEqual(made.map(([id, , wanted]) => [id, wanted]));
    },
  );
});
