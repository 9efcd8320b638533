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
