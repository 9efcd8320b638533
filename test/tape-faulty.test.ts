import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Clock } from "../src/engine/clock.ts";
import { Engine } from "../src/engine/engine.ts";
import { TapeError } from "../src/errors.ts";
import { localAccess } from "../src/model/access.ts";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import type {
  Append,
  AppendOutcome,
  CallContext,
  FeedPage,
  ReadOptions,
  RowId,
  RowSlice,
  Store,
  TailOptions,
} from "../src/store/store.ts";
import {
  engineHarness,
  FakeClock,
  FaultyStore,
  seededRandom,
  testTape,
  type StoreFault,
  type TapeCase,
  type TapeHarness,
} from "../src/testing/index.ts";
import { ForwardingStore } from "../src/testing/forwarding-store.ts";
import { retryingTape } from "./retrying-tape.ts";
import { sharedStore } from "./store-views.ts";

/** Pauses before the store is asked again end by themselves: no case can know of them. */
const withoutPauses = (clock: FakeClock): Clock => ({
  now: () => clock.now(),
  sleep: (ms, signal) => (ms > 1000 ? clock.sleep(ms, signal) : clock.settle()),
});

/** A seed of the case's own, which neither the choice nor the number of other cases changes. */
function seedOf({ rule, name }: TapeCase): number {
  return createHash("sha256").update(`${rule} ${name}`).digest().readInt32BE();
}

interface Faults {
  readonly rates?: Partial<Record<StoreFault, number>>;
  readonly atomicIndex?: false;
}

function open(tapeCase: TapeCase, faults: Faults): Promise<TapeHarness> {
  return engineHarness({
    openStore: async () => {
      const store = new FaultyStore(await memoryStore(), { random: seededRandom(seedOf(tapeCase)), ...faults });
      return sharedStore(store);
    },
    wrap: retryingTape,
    engineClock: withoutPauses,
  });
}

async function memoryStore(): Promise<Store> {
  const store = new MemoryStore();
  await store.open();
  return store;
}

testTape({
  name: "faulty",
  open: (tapeCase) => open(tapeCase, { rates: { interloper: 0.05 } }),
  runner: { describe, it },
});
testTape({
  name: "faulty-index",
  open: (tapeCase) => open(tapeCase, { atomicIndex: false }),
  runner: { describe, it },
});

/** A store that can be switched off for reading, and made to wait before it writes. */
class Outage extends ForwardingStore {
  isDown = false;
  held: Promise<void> | undefined;

  override read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    this.#mustBeUp();
    return super.read(row, options);
  }

  override tail(options: TailOptions): Promise<FeedPage> {
    this.#mustBeUp();
    return super.tail(options);
  }

  override async append(batch: readonly Append[], options?: CallContext): Promise<readonly AppendOutcome[]> {
    await this.held;
    return super.append(batch, options);
  }

  #mustBeUp(): void {
    if (this.isDown) throw new TapeError("STORE_UNAVAILABLE", "the store is switched off");
  }
}

describe("a stream that meets an error of the store", () => {
  it.each(["subscribeRun", "subscribeEvents", "watchValue"] as const)("ends with it (%s, R14)", async (call) => {
    const clock = new FakeClock();
    const store = sharedStore(await memoryStore());
    const outage = new Outage(store);
    const [here, elsewhere] = [new Engine({ store: outage, clock }), new Engine({ store, clock })];
    const [tape, writer] = [here.tape(localAccess), elsewhere.tape(localAccess)];
    const place = { namespace: "n", key: "k" };
    const { runId } = await writer.beginRun({ appName: "app", invocationId: "i" });
    await writer.writeValue({ ...place, valueJson: "1" });
    const streams = {
      subscribeRun: () => tape.subscribeRun({ runId }),
      subscribeEvents: () => tape.subscribeEvents({ kind: "run" }),
      watchValue: () => tape.watchValue(place),
    };
    const items: AsyncIterator<unknown> = streams[call]()[Symbol.asyncIterator]();
    expect((await items.next()).done).toBe(false);
    // It may fail before it is looked at.
    const waiting = Promise.allSettled([items.next()]);
    await clock.settle();
    outage.isDown = true;
    await writer.writeValue({ ...place, valueJson: "2", ifVersion: 1 });
    await writer.recordDecision({ runId, decisionIndex: 0 });
    expect(await waiting).toMatchObject([{ status: "rejected", reason: { reason: "STORE_UNAVAILABLE" } }]);
    await here.close();
    await elsewhere.close();
    await store.close();
  });
});

describe("a caller whose deadline passes", () => {
  it("is told so, and finds the write when it asks again (R9)", async () => {
    const store = new Outage(await memoryStore());
    const engine = new Engine({ store, clock: new FakeClock() });
    const tape = engine.tape(localAccess);
    const { runId } = await tape.beginRun({ appName: "app", invocationId: "i" });
    let release = (): void => undefined;
    store.held = new Promise((resolve) => {
      release = resolve;
    });
    const decision = { runId, decisionIndex: 0, responseJson: "1" };
    await expect(tape.recordDecision(decision, { timeoutMs: 5 })).rejects.toMatchObject({
      reason: "DEADLINE_EXCEEDED",
    });
    release();
    const again = await tape.recordDecision({ ...decision, responseJson: "2" });
    expect(again).toMatchObject({ responseJson: "1", diverged: true });
    await engine.close();
    await store.close();
  });
});
