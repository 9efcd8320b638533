import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineScene, newRun, type EngineScene } from "../../test/engine/engine-scene.ts";
import { isSettled, settle, withResolvers } from "../../test/engine/scripted-store.ts";
import { TapeError } from "../errors.ts";
import type { CallOptions } from "../model/call.ts";
import type { Tape } from "../model/tape.ts";
import type { RowSlice } from "../store/store.ts";

let scene: EngineScene;
beforeEach(async () => {
  scene = await engineScene();
});
afterEach(async () => {
  await scene.close();
});

const charge = (tape: Tape, runId: string) => tape.chargeBudget({ runId, tokens: 1 });

/** Every stream there is, on something that has one entry. */
type Opening = (tape: Tape, runId: string, options?: CallOptions) => AsyncIterable<unknown>;
const streams: readonly (readonly [string, Opening])[] = [
  ["SubscribeRun", (tape, runId, options) => tape.subscribeRun({ runId }, options)],
  ["SubscribeEvents", (tape, runId, options) => tape.subscribeEvents({ runId }, options)],
  ["SubscribeBySubject", (tape, _runId, options) => tape.subscribeBySubject({ subjectPattern: "/tape/**" }, options)],
  ["WatchValue", (tape, _runId, options) => tape.watchValue({ namespace: "n", key: "k" }, options)],
];

/** A run and a value with one entry each, and a stream that has delivered what there is and waits for more. */
async function waiting(open: Opening, options?: CallOptions) {
  const { engine, store, tape } = scene.open();
  const runId = await newRun(tape);
  await tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
  const iterator = open(tape, runId, options)[Symbol.asyncIterator]();
  let next = iterator.next();
  while (await isSettled(next)) {
    await next;
    next = iterator.next();
  }
  expect(engine.stats().waitingStreams).toBe(1);
  return { engine, store, tape, runId, iterator, next };
}

describe.each(streams)("%s", (_name, open) => {
  it("that is left while it waits ends at once and frees everything", async () => {
    const { engine, iterator, next } = await waiting(open);
    await iterator.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(engine.stats().waitingStreams).toBe(0);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  it("whose caller gives up while it waits is CANCELLED, and frees everything", async () => {
    const caller = new AbortController();
    const { engine, next } = await waiting(open, { signal: caller.signal });
    caller.abort();
    await expect(next).rejects.toMatchObject({ reason: "CANCELLED" });
    expect(engine.stats().waitingStreams).toBe(0);
  });

  it("is ended by the engine's close with SHUTTING_DOWN", async () => {
    const { engine, next } = await waiting(open);
    const [ended] = await Promise.allSettled([next, engine.close()]);
    expect(ended).toMatchObject({ status: "rejected", reason: { reason: "SHUTTING_DOWN" } });
    expect(engine.stats().waitingStreams).toBe(0);
  });

  it("wakes for what is committed here", async () => {
    const { tape, runId, next } = await waiting(open);
    await tape.writeValue({ namespace: "n", key: "k", valueJson: "2" });
    await charge(tape, runId);
    expect((await next).done).toBe(false);
  });

  it("wakes for what another server commits", async () => {
    const [here, there] = [scene.open({}, { exclusive: false }), scene.open({}, { exclusive: false })];
    const runId = await newRun(there.tape);
    await there.tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
    const iterator = open(here.tape, runId)[Symbol.asyncIterator]();
    let next = iterator.next();
    while (await isSettled(next)) next = iterator.next();
    await there.tape.writeValue({ namespace: "n", key: "k", valueJson: "2" });
    await charge(there.tape, runId);
    expect((await next).done).toBe(false);
    await iterator.return?.();
  });
});

describe("SubscribeRun", () => {
  it("misses nothing that is committed between its read and its wait (R14)", async () => {
    const { store, tape } = scene.open();
    const runId = await newRun(tape);
    const answer = withResolvers<undefined>();
    store.nextReads.push(async (_row, go): Promise<RowSlice | null> => {
      const found = await go();
      await answer.promise;
      return found;
    });
    const iterator = tape.subscribeRun({ runId })[Symbol.asyncIterator]();
    const first = iterator.next();
    await settle();
    await charge(tape, runId);
    answer.resolve(undefined);
    expect((await first).value).toMatchObject({ seq: 1 });
    expect((await iterator.next()).value).toMatchObject({ seq: 2, kind: "budget" });
  });

  it("delivers a long past in pages, in order, and ends with the run", async () => {
    const { tape } = scene.open();
    const runId = await newRun(tape);
    await Promise.all(Array.from({ length: 600 }, () => charge(tape, runId)));
    await tape.endRun({ runId, status: "TERMINAL" });
    const seqs: number[] = [];
    for await (const entry of tape.subscribeRun({ runId, fromSeq: 5 })) seqs.push(entry.seq);
    expect(seqs).toEqual(Array.from({ length: 598 }, (_, i) => i + 5));
  });

  it("ends with the store's error, never as if all were sent (R14)", async () => {
    const { store, tape } = scene.open();
    const runId = await newRun(tape);
    const away = new TapeError("STORE_UNAVAILABLE", "away");
    store.nextReads.push(() => Promise.reject(away));
    const iterator = tape.subscribeRun({ runId })[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toBe(away);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe("SubscribeEvents", () => {
  it("of a slow reader reads no further than a page ahead (R51)", async () => {
    const { store, tape } = scene.open();
    const runId = await newRun(tape);
    await Promise.all(Array.from({ length: 1000 }, () => charge(tape, runId)));
    let read = 0;
    const tail = store.tail.bind(store);
    store.tail = async (options) => {
      const page = await tail(options);
      read += page.entries.length;
      return page;
    };
    const iterator = tape.subscribeEvents({})[Symbol.asyncIterator]();
    for (let taken = 1; taken <= 600; taken += 1) {
      await iterator.next();
      expect(read - taken).toBeLessThan(512);
    }
    await iterator.return?.();
  });

  it("goes on from where it was, and skips what it does not want (R50)", async () => {
    const { tape } = scene.open();
    const [runId, other] = [await newRun(tape), await newRun(tape)];
    await charge(tape, other);
    await charge(tape, runId);
    const iterator = tape.subscribeEvents({ runId, kind: "budget" })[Symbol.asyncIterator]();
    const { value } = await iterator.next();
    expect(value).toMatchObject({ runId, kind: "budget", globalSeq: 4 });
    await charge(tape, runId);
    const later = tape.subscribeEvents({ fromGlobalSeq: 4 })[Symbol.asyncIterator]();
    expect((await later.next()).value).toMatchObject({ globalSeq: 5 });
    await Promise.all([iterator.return?.(), later.return?.()]);
  });
});

/** A server that has seen nothing yet of rows of which the one whose id has this in it has lost an entry. */
function overLost(rowPart: string, lost: number) {
  const { tape, store } = scene.open();
  const read = store.read.bind(store);
  store.read = async (row, options) => {
    const slice = await read(row, options);
    if (slice === null || !row.includes(rowPart)) return slice;
    return { ...slice, entries: slice.entries.filter(({ seq }) => seq !== lost) };
  };
  return tape;
}

/** What a stream gives before it ends with an error. */
async function before<T>(stream: AsyncIterable<T>): Promise<readonly [readonly T[], unknown]> {
  const items: T[] = [];
  try {
    for await (const item of stream) items.push(item);
    return [items, undefined];
  } catch (error) {
    return [items, error];
  }
}

describe("a stream over a row that has lost an entry", () => {
  it.each([1, 3, 5])(
    "of a value ends with STORE_CORRUPT before it says anything wrong (entry %i of 5)",
    async (lost) => {
      const { tape } = scene.open();
      for (let i = 1; i <= 5; i += 1) await tape.writeValue({ namespace: "n", key: "k", valueJson: `${i}` });
      const watching = overLost("/value/", lost).watchValue({ namespace: "n", key: "k", fromVersion: 1 });
      const [items, error] = await before(watching);
      expect(items).toEqual([]);
      expect(error).toMatchObject({ reason: "STORE_CORRUPT" });
      expect(String(error)).toMatch(`row ~/value/n/k cannot be read: its entry ${lost} is missing`);
    },
  );

  it("of a value does not take for lost what has gone in time", async () => {
    const { tape } = scene.open();
    for (let i = 1; i <= 1250; i += 1) await tape.writeValue({ namespace: "n", key: "k", valueJson: `${i}` });
    const iterator = tape.watchValue({ namespace: "n", key: "k", fromVersion: 5 })[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toMatchObject({ gap: true, value: { version: 1250 }, prevValueJson: "1249" });
    await iterator.return?.();
  });

  it("of a run ends with STORE_CORRUPT, also when it was whole at first", async () => {
    const { tape } = scene.open();
    const runId = await newRun(tape);
    for (let i = 0; i < 4; i += 1) await charge(tape, runId);
    const watcher = scene.open();
    await watcher.tape.getRun({ runId });
    const read = watcher.store.read.bind(watcher.store);
    watcher.store.read = async (row, options) => {
      const slice = await read(row, options);
      return slice === null ? null : { ...slice, entries: slice.entries.filter(({ seq }) => seq !== 3) };
    };
    const [items, error] = await before(watcher.tape.subscribeRun({ runId }));
    expect(items).toEqual([]);
    expect(error).toMatchObject({ reason: "STORE_CORRUPT" });
    expect(String(error)).toMatch(/its entry 3 is missing/);
  });
});
