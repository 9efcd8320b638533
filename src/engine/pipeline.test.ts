import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { add, addWithin, decideOnText, textOf, total } from "../../test/engine/counter-row.ts";
import { counterScene, type CounterScene } from "../../test/engine/counter-scene.ts";
import { engineScene } from "../../test/engine/engine-scene.ts";
import { isSettled, settle, withResolvers } from "../../test/engine/scripted-store.ts";
import { TapeError } from "../errors.ts";

let scene: CounterScene;
beforeEach(async () => {
  scene = await counterScene();
});
afterEach(async () => {
  await scene.memory.close();
});

const away = new TapeError("STORE_UNAVAILABLE", "the database is away");
const shared = { exclusive: false } as const;

describe("answers", () => {
  it("wait until what they report is durable (R1)", async () => {
    const { store, call } = scene.open();
    const held = store.hold();
    const answer = call("a", add(1));
    await held.arrived;
    expect(await isSettled(answer)).toBe(false);
    held.release();
    expect(await answer).toBe(1);
  });

  it("of reads wait for the writes that they have seen (R6)", async () => {
    const { store, call } = scene.open();
    const held = store.hold();
    const write = call("a", add(1));
    await held.arrived;
    const read = call("a", total);
    expect(await isSettled(read)).toBe(false);
    held.release();
    expect(await Promise.all([write, read])).toEqual([1, 1]);
    expect(store.batches).toHaveLength(1);
  });

  it("that refuse wait for the writes that made them refuse", async () => {
    const { store, call } = scene.open();
    const held = store.hold();
    const write = call("a", addWithin(3, 4));
    await held.arrived;
    const refused = call("a", addWithin(3, 4));
    expect(await isSettled(refused)).toBe(false);
    held.release();
    await expect(refused).rejects.toThrow("over 4");
    expect(await write).toBe(3);
  });

  it("never rest on a write that failed: a refusal is thought over", async () => {
    const { store, call } = scene.open();
    store.nextAppends.push(() => Promise.reject(away));
    const write = call("a", addWithin(3, 4));
    const refused = call("a", addWithin(3, 4));
    await expect(write).rejects.toThrow("away");
    await expect(refused).rejects.toThrow("away");
    expect(await call("a", addWithin(3, 4))).toBe(3);
  });
});

describe("conflict", () => {
  it("drops the state, reads the row again and decides again (R6)", async () => {
    const [one, two] = [scene.open(shared), scene.open(shared, {}, 2)];
    expect(await one.call("a", add(1))).toBe(1);
    expect(await two.call("a", add(10))).toBe(11);
    expect(await Promise.all([one.call("a", add(1)), one.call("a", add(1))])).toEqual([12, 13]);
    expect(one.pipeline.stats()).toMatchObject({ conflicts: 1 });
    expect((await scene.stored("a"))?.entries.map((entry) => entry.seq)).toEqual([1, 2, 3, 4]);
  });

  it("also decides again what was refused, and what came while the append was in flight", async () => {
    const [one, two] = [scene.open(shared), scene.open(shared, {}, 2)];
    await one.call("a", add(1));
    const held = one.store.hold();
    const write = one.call("a", addWithin(1, 5));
    await held.arrived;
    const waiting = [one.call("a", addWithin(1, 5)), one.call("a", addWithin(9, 5)), one.call("a", total)];
    await two.call("a", add(4));
    held.release();
    const answers = await Promise.allSettled([write, ...waiting]);
    expect(answers.map((answer) => answer.status)).toEqual(["rejected", "rejected", "rejected", "fulfilled"]);
    expect(await one.call("a", total)).toBe(5);
    expect((await scene.stored("a"))?.entries).toHaveLength(2);
  });

  it("is found out by calls that only read, or refuse, from a stale cache", async () => {
    const [one, two] = [scene.open(shared), scene.open(shared, {}, 2)];
    await one.call("a", add(5));
    await two.call("a", add(-3));
    expect(await one.call("a", total)).toBe(2);
    await two.call("a", add(-1));
    expect(await one.call("a", addWithin(3, 5))).toBe(4);
    await two.call("a", add(-4));
    await expect(one.call("a", addWithin(6, 5))).rejects.toThrow("over 5");
  });

  it("is seen by reads that came while the answer to an append was under way (R6)", async () => {
    const here = scene.open(shared);
    const there = scene.open(shared);
    const written = withResolvers<undefined>();
    const delivered = withResolvers<undefined>();
    here.store.nextAppends.push(async (_batch, go) => {
      const outcomes = await go();
      written.resolve(undefined);
      await delivered.promise;
      return outcomes;
    });
    const write = here.call("a", add(1));
    await written.promise;
    expect(await there.call("a", add(10))).toBe(11);
    const read = here.call("a", total);
    delivered.resolve(undefined);
    expect(await Promise.all([write, read])).toEqual([1, 11]);
  });

  it("without end is WRITE_CONFLICT", async () => {
    const { store, call } = scene.open(shared);
    for (let i = 0; i < 101; i += 1) store.nextAppends.push(() => Promise.resolve([{ kind: "conflict", version: 1 }]));
    await expect(call("a", add(1))).rejects.toMatchObject({ reason: "WRITE_CONFLICT", ids: { row: "~/counter/a" } });
    expect(await call("a", add(1))).toBe(1);
  });

  it("costs a store that nobody else writes no reads at all", async () => {
    const { store, call } = scene.open({ exclusive: true });
    await call("a", add(1));
    await Promise.all([call("a", total), call("a", add(1)), call("a", total)]);
    expect(store.reads).toHaveLength(1);
  });
});

const full = new TapeError("SIZE_LIMIT", "the row is full");

describe("an append that the store refuses", () => {
  it("fails the calls of its row, not those of others in the batch, and the row goes on", async () => {
    const { store, call } = scene.open(shared);
    await Promise.all([call("a", total), call("b", total)]);
    store.nextAppends.push(async (batch, go) => {
      const outcomes = await go();
      return batch.map(({ row }, i) =>
        row === "~/counter/a" ? { kind: "refused", error: full } : (outcomes[i] ?? { kind: "unknown", cause: "" }),
      );
    });
    const [a, b] = await Promise.allSettled([call("a", add(1)), call("b", add(1))]);
    expect(a).toMatchObject({ status: "rejected", reason: full });
    expect(b).toMatchObject({ status: "fulfilled", value: 1 });
    expect(store.batches).toHaveLength(1);
  });
});

describe("an append whose outcome is not known", () => {
  it("is found to have been committed, and answered once", async () => {
    const { store, pipeline, call } = scene.open(shared);
    store.nextAppends.push(async (_batch, go) => {
      await go();
      return [{ kind: "unknown", cause: "connection lost" }];
    });
    expect(await call("a", add(1))).toBe(1);
    expect(await call("a", add(1))).toBe(2);
    expect((await scene.stored("a"))?.entries).toHaveLength(2);
    expect(pipeline.stats()).toMatchObject({ unknownOutcomes: 1, commits: 2 });
  });

  it("is found not to have been, and sent again as it was", async () => {
    const { store, call } = scene.open(shared);
    store.nextAppends.push(() => Promise.resolve([{ kind: "unknown", cause: "connection lost" }]));
    expect(await call("a", add(1))).toBe(1);
    expect(store.batches[1]).toEqual(store.batches[0]);
    expect((await scene.stored("a"))?.entries).toHaveLength(1);
  });

  it("may arrive late, between the question and the second attempt: still written once", async () => {
    const { store, call } = scene.open(shared);
    let late = (): Promise<unknown> => Promise.resolve();
    store.nextAppends.push((_batch, go) => {
      late = go;
      return Promise.resolve([{ kind: "unknown", cause: "connection lost" }]);
    });
    store.nextReads.push(
      (_row, go) => go(),
      async (_row, go) => {
        const found = await go();
        await late();
        return found;
      },
    );
    expect(await call("a", add(1))).toBe(1);
    expect((await scene.stored("a"))?.entries).toHaveLength(1);
    expect(await call("a", add(1))).toBe(2);
  });

  it("that lost to another writer is decided again", async () => {
    const [one, two] = [scene.open(shared), scene.open(shared, {}, 2)];
    await one.call("a", add(1));
    one.store.nextAppends.push(async () => {
      await two.call("a", add(10));
      return [{ kind: "unknown", cause: "connection lost" }];
    });
    expect(await one.call("a", add(1))).toBe(12);
    expect((await scene.stored("a"))?.entries).toHaveLength(3);
  });

  it("that the store has no room for when it is sent again fails with the store's reason", async () => {
    const { store, call } = scene.open(shared);
    store.nextAppends.push(
      () => Promise.resolve([{ kind: "unknown", cause: "connection lost" }]),
      () => Promise.resolve([{ kind: "refused", error: full }]),
    );
    await expect(call("a", add(1))).rejects.toBe(full);
    expect(await call("a", add(1))).toBe(1);
  });

  it("does not hold up the rows that it shared a batch with", async () => {
    const { store, call } = scene.open(shared);
    store.nextAppends.push(async (_batch, go) => {
      const [, second = { kind: "unknown", cause: "" }] = await go();
      return [{ kind: "unknown", cause: "connection lost" }, second];
    });
    const asked = store.hold();
    store.nextReads.push(
      (_row, go) => go(),
      (_row, go) => go(),
      async (_row, go) => {
        await asked.arrived;
        return go();
      },
    );
    const [a, b] = [call("a", add(1)), call("b", add(1))];
    expect(await b).toBe(1);
    expect(await isSettled(a)).toBe(false);
    const next = call("c", add(1));
    await asked.arrived;
    asked.release();
    expect(await Promise.all([a, next])).toEqual([1, 1]);
  });
});

describe("a store that is away", () => {
  it("rejects what was to be written with the store's error, and the next call finds it back", async () => {
    const { store, call } = scene.open();
    await call("a", add(1));
    store.nextAppends.push(() => Promise.reject(away));
    const answers = await Promise.allSettled([call("a", add(1)), call("b", add(1)), call("a", total)]);
    expect(answers.map((answer) => (answer.status === "rejected" ? (answer.reason as unknown) : answer.value))).toEqual(
      [away, away, away],
    );
    expect(await call("a", add(1))).toBe(2);
    expect(await call("b", total)).toBe(0);
  });

  it("rejects what came while the append was in flight, since it was decided on what did not happen", async () => {
    const { store, call } = scene.open();
    const held = store.hold(() => Promise.reject(away));
    const first = call("a", add(1));
    await held.arrived;
    const calls = [first, call("a", add(1)), call("a", total), call("b", add(1))];
    held.release();
    const answers = await Promise.allSettled(calls);
    expect(answers.map((answer) => answer.status)).toEqual(["rejected", "rejected", "rejected", "fulfilled"]);
    expect(await call("a", add(1))).toBe(1);
  });

  it("rejects calls on a row that cannot be loaded, and loads it for the next", async () => {
    const { store, call } = scene.open();
    store.nextReads.push(() => Promise.reject(away));
    const answers = await Promise.allSettled([call("a", add(1)), call("a", total)]);
    expect(answers.map((answer) => answer.status)).toEqual(["rejected", "rejected"]);
    expect(await call("a", add(1))).toBe(1);
  });

  it("rejects a read whose row cannot be checked", async () => {
    const { store, call } = scene.open(shared);
    await call("a", add(1));
    store.nextReads.push(() => Promise.reject(away));
    await expect(call("a", total)).rejects.toBe(away);
    expect(await call("a", total)).toBe(1);
  });
});

describe("bodies", () => {
  it("are read for an answer after it is decided, and not when they have just been written", async () => {
    const { store, call } = scene.open();
    await call("a", add(1, "text"));
    expect(await call("a", textOf(1))).toBe("text");
    expect(await call("a", textOf(7))).toBe("");
    expect(store.reads).toHaveLength(2);
  });

  it("are fetched for a decision that needs them", async () => {
    const { call } = scene.open();
    const other = scene.open({}, {}, 2);
    await call("a", add(1, "text"));
    expect(await call("a", decideOnText(1))).toBe("text");
    expect(await other.call("a", decideOnText(1))).toBe("text");
    other.store.nextReads.push(() => Promise.reject(away));
    await expect(other.call("a", decideOnText(1))).rejects.toBe(away);
  });

  it("of an entry that is still in flight are waited for", async () => {
    const { store, call } = scene.open();
    const text = "x".repeat(70_000);
    const held = store.hold();
    const write = call("a", add(1, text));
    await held.arrived;
    const decided = call<string>("a", decideOnText(1));
    await settle();
    held.release();
    await write;
    expect((await decided).length).toBe(text.length);
  });
});

it("does not take a head for whole in which the name of a member is damaged", async () => {
  const two = await engineScene();
  const { tape } = two.open();
  await tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
  const { tape: other, store } = two.open();
  const read = store.read.bind(store);
  store.read = async (row, options) => {
    const slice = await read(row, options);
    if (slice === null) return null;
    return { ...slice, head: Buffer.from(Buffer.from(slice.head).toString().replace("value_json", "value_jsoo")) };
  };
  await expect(other.getValue({ namespace: "n", key: "k" })).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
  await two.close();
});
