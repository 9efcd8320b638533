import { expect, it } from "vitest";
import type { FeedEntry, Store } from "../../src/store/store.ts";
import { seededRandom } from "../../src/testing/index.ts";
import {
  appendTo,
  commit,
  entry,
  feedOf,
  namesOf,
  pause,
  upTo,
  within,
} from "../../src/testing/test-store/material.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { Scene } from "./fixture.ts";

/** Follows the feed until it has given that many entries, in pages of many sizes. */
async function follow(store: Store, count: number, seed: number): Promise<readonly FeedEntry[]> {
  const random = seededRandom(seed);
  const followed: FeedEntry[] = [];
  let after = 0;
  while (followed.length < count) {
    const page = await store.tail({ after, limit: 1 + random.int(20) });
    followed.push(...page.entries);
    after = page.next;
    await pause(1);
  }
  return followed;
}

describeSpanner("Spanner, the feed", (host) => {
  it(
    "gives every entry once, and all readers the same, while several servers commit",
    { timeout: 90_000 },
    async () => {
      const scene = new Scene(host);
      const random = seededRandom(2025);
      const proxied = [await scene.openProxied(), await scene.openProxied(), await scene.openProxied()];
      for (const { proxy } of proxied) {
        proxy.act = ({ method }) => {
          if (method !== "Commit" || !random.chance(0.1)) return { kind: "pass" };
          return { kind: random.chance(0.5) ? "hold" : "hold-answer", until: pause(random.int(40)) };
        };
      }
      const rounds = 30;
      const perRound = 3;
      const write = async (store: Store, writer: string): Promise<void> => {
        for (const version of upTo(rounds)) {
          const fresh = [`x-${writer}-${version}`, `y-${writer}-${version}`].map((row) => appendTo(row, 0));
          await commit(store, appendTo(`own-${writer}`, version), ...fresh);
        }
      };
      const writers = proxied.flatMap(({ store }, s) => upTo(3).map((w) => write(store, `${s}-${w}`)));
      const total = writers.length * rounds * perRound;
      const readers = [await scene.open(), await scene.open()];
      const reading = Promise.all(readers.map((reader, i) => follow(reader, total, i)));
      const [[first = [], second = []]] = await within(
        80_000,
        "reading on",
        Promise.all([reading, Promise.all(writers)]),
      );
      expect(new Set(namesOf(first)).size).toBe(total);
      expect(second).toEqual(first);
      expect(await feedOf(await scene.open(), total)).toEqual(first);
    },
  );

  it("shows what was acknowledged to whoever asks next", async () => {
    const scene = new Scene(host);
    const [writer, reader] = [await scene.open(), await scene.open()];
    let after = 0;
    for (const version of upTo(30)) {
      await commit(writer, appendTo("a", version));
      const page = await reader.tail({ after, limit: 10 });
      expect(namesOf(page.entries)).toEqual([`a:${version + 1}`]);
      after = page.next;
    }
    expect(await reader.tail({ after, limit: 10 })).toEqual({ entries: [], next: after });
  });

  it("is read shard by shard where there is much of it, and gives the same", async () => {
    const scene = new Scene(host);
    const store = await scene.open();
    for (const batch of upTo(6)) {
      await commit(store, ...upTo(80).map((i) => appendTo(`row-${batch}-${i}`, 0)));
    }
    const whole = await feedOf(store, 480, 0, 1000);
    for (const limit of [7, 100]) expect(await feedOf(store, 480, 0, limit)).toEqual(whole);
    const [middle] = whole.slice(200);
    expect((await store.tail({ after: middle?.position ?? 0, limit: 1 })).entries).toEqual(whole.slice(201, 202));
  });

  it("keeps its order where one commit adds more than a millisecond has places", async () => {
    const scene = new Scene(host);
    const store = await scene.open();
    const many = upTo(3000).map((i) => entry(i + 1));
    await commit(store, ...["a", "b"].map((row) => appendTo(row, 0, { entries: many })));
    await commit(store, appendTo("last", 0));
    const feed = await feedOf(store, 6001, 0, 1000);
    expect(feed).toHaveLength(6001);
    const positions = feed.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
    for (const at of [0, 2999, 4095, 4096, 5998, 5999]) {
      expect((await store.tail({ after: positions[at] ?? 0, limit: 1 })).entries).toEqual([feed[at + 1]]);
    }
  });

  it("a trimmed entry keeps its place, so that cursors behind it stay where they are", async () => {
    const scene = new Scene(host);
    const [store, reader] = [await scene.open(), await scene.open()];
    await commit(store, ...["a", "b", "c"].map((row) => appendTo(row, 0)));
    const before = await feedOf(reader, 3);
    const trimmed = before[0]?.row ?? "";
    await commit(store, appendTo(trimmed, 1, { entries: [], trimBelow: 2 }));
    expect(await feedOf(await scene.open(), 2)).toEqual(before.slice(1));
    expect((await reader.tail({ after: before[1]?.position ?? 0, limit: 9 })).entries).toEqual(before.slice(2));
  });

  it("wakes those who listen when another server commits, again and again", async () => {
    const scene = new Scene(host);
    const [writer, reader] = [await scene.open(), await scene.open()];
    for (const round of upTo(2)) {
      const abort = new AbortController();
      const hints = reader.wake({ signal: abort.signal })[Symbol.asyncIterator]();
      const heard = async (count: number): Promise<void> => {
        while ((await feedOf(reader, 0)).length < count) await hints.next();
      };
      await within(30_000, "the first hint", heard(3 * round));
      for (const more of upTo(3)) {
        await commit(writer, appendTo("a", 3 * round + more));
        await within(30_000, "a hint", heard(3 * round + more + 1));
      }
      abort.abort();
      expect((await hints.next()).done).toBe(true);
      await pause(250);
    }
  });
});
