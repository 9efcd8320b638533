import { expect, it } from "vitest";
import { parseBigtableUrl } from "../../src/store/bigtable/bigtable-url.ts";
import { setCell } from "../../src/store/bigtable/cells.ts";
import type { Mutation } from "../../src/store/bigtable/driver.ts";
import { droppedColumn, entryColumn, keyColumn, Keys, markColumn } from "../../src/store/bigtable/keys.ts";
import type { FeedEntry, RowId, Store } from "../../src/store/store.ts";
import { seededRandom } from "../../src/testing/index.ts";
import {
  appendTo,
  commit,
  entry,
  feedOf,
  namesOf,
  patternBytes,
  pause,
  rowOf,
  upTo,
  within,
} from "../../src/testing/test-store/material.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { gate } from "../emulators/gate.ts";
import { Scene } from "./fixture.ts";
import { rawTable, rowsOfJournal } from "./raw-table.ts";

const minute = 60_000;

/** Everything that the feed gives now, page by page. */
async function all(store: Store, limit = 100): Promise<readonly FeedEntry[]> {
  return feedOf(store, 0, 0, limit);
}

describeBigtable("Bigtable, the feed", (host) => {
  it("a writer that pauses between feed key and commit holds it up, and is fenced off after a while", async () => {
    const scene = new Scene(host);
    const { store: slow, proxy } = await scene.openProxied();
    // Stands still while the writer does, or a busy machine would use up the time after which it is fenced off.
    const clock = { ahead: 0, end: Infinity };
    const other = await scene.open({ now: () => Math.min(Date.now(), clock.end) + clock.ahead });
    await commit(slow, appendTo("a", 0));
    const paused = gate();
    const reached = gate();
    proxy.forget();
    proxy.act = ({ method, count }) => {
      if (method !== "CheckAndMutateRow" || count > 0) return { kind: "pass" };
      reached.open();
      return { kind: "hold", until: paused.opened };
    };
    const writing = commit(slow, appendTo("a", 1), appendTo("new", 0));
    await reached.opened;
    clock.end = Date.now() + 500;
    await commit(other, appendTo("b", 0));
    // What comes after it must wait for it: its commit may yet come about.
    await pause(600);
    const before = namesOf(await all(other));
    expect(before[0]).toBe("a:1");
    expect(before).not.toContain("b:1");
    // A minute passes for the other server; the writer sleeps on.
    clock.ahead = minute;
    expect(namesOf(await feedOf(other, 2))).toContain("b:1");
    const cursor = (await all(other)).at(-1)?.position ?? 0;
    Object.assign(clock, { ahead: 0, end: Infinity });
    paused.open();
    await writing;
    expect((await rowOf(slow, "a")).version).toBe(2);
    expect((await rowOf(slow, "new")).version).toBe(1);
    const [feed, again] = [await feedOf(other, 4), await feedOf(slow, 4)];
    expect(namesOf(feed).toSorted()).toEqual(["a:1", "a:2", "b:1", "new:1"]);
    expect(again).toEqual(feed);
    const lateOnes = feed.filter(({ position }) => position > cursor);
    expect(lateOnes.length + namesOf(feed).indexOf("b:1") + 1, "nothing came in front of the cursor").toBe(4);
  });

  it("a row that is fenced off before it was made is not there, and can be made", async () => {
    const scene = new Scene(host);
    const { store: slow, proxy } = await scene.openProxied();
    const clock = { ahead: 0 };
    const other = await scene.open({ now: () => Date.now() + clock.ahead });
    const paused = gate();
    const reached = gate();
    proxy.forget();
    proxy.act = ({ method, count }) => {
      if (method !== "CheckAndMutateRow" || count > 0) return { kind: "pass" };
      reached.open();
      return { kind: "cut", ...(paused.open(), {}) };
    };
    const append = appendTo("a", 0);
    const [outcome] = await slow.append([append]);
    expect(outcome?.kind).toBe("unknown");
    await reached.opened;
    clock.ahead = minute;
    expect(await all(other)).toEqual([]);
    clock.ahead = 0;
    expect(await other.read(append.row)).toBeNull();
    expect(await other.append([appendTo("a", 1)])).toEqual([{ kind: "conflict", version: 0 }]);
    await commit(other, appendTo("a", 0));
    await commit(slow, appendTo("a", 1));
    expect(namesOf(await feedOf(other, 2))).toEqual(["a:1", "a:2"]);
  });

  it("a feed key that is written too late announces nothing: its writer takes another", async () => {
    const scene = new Scene(host);
    const { store: slow, proxy } = await scene.openProxied();
    const other = await scene.open();
    const paused = gate();
    const reached = gate();
    proxy.forget();
    proxy.act = ({ method, count }) => {
      if (method !== "MutateRows" || count > 0) return { kind: "pass" };
      reached.open();
      return { kind: "hold", until: paused.opened };
    };
    const writing = commit(slow, appendTo("a", 0));
    await reached.opened;
    await commit(other, appendTo("b", 0));
    const [first] = await feedOf(other, 1);
    expect(first?.row).toBe("b");
    paused.open();
    await writing;
    expect(namesOf(await feedOf(other, 1, first?.position))).toEqual(["a:1"]);
    expect(namesOf(await feedOf(other, 2))).toEqual(["b:1", "a:1"]);
  });

  it(
    "complete and the same for all while several servers commit and pause between all steps",
    { timeout: 60_000 },
    async () => {
      const scene = new Scene(host);
      const random = seededRandom(2024);
      const proxied = [await scene.openProxied(), await scene.openProxied(), await scene.openProxied()];
      for (const { proxy } of proxied) {
        proxy.act = ({ method }) => {
          if (method === "ReadRows" || !random.chance(0.15)) return { kind: "pass" };
          const ms = random.int(120);
          return { kind: random.chance(0.5) ? "hold" : "hold-answer", until: pause(ms) };
        };
      }
      const rounds = 40;
      const write = async (store: Store, writer: number): Promise<void> => {
        for (const version of upTo(rounds)) {
          await commit(store, appendTo(`own-${writer}`, version), appendTo(`new-${writer}-${version}`, 0));
        }
      };
      const reader = await scene.open();
      const state = { isOver: false };
      const followed: FeedEntry[] = [];
      const follow = async (): Promise<void> => {
        while (!state.isOver || followed.length < 6 * rounds) {
          const page = await reader.tail({ after: followed.at(-1)?.position ?? 0, limit: 1 + random.int(9) });
          followed.push(...page.entries);
          await pause(1);
        }
      };
      const writing = Promise.all(proxied.flatMap(({ store }, i) => [write(store, 2 * i)])).finally(() => {
        state.isOver = true;
      });
      await within(50_000, "reading on", Promise.all([follow(), writing]));
      expect(new Set(namesOf(followed)).size).toBe(6 * rounds);
      expect(await feedOf(proxied[0]?.store ?? reader, 6 * rounds)).toEqual(followed);
    },
  );

  it("more entries in one millisecond than it has places still have places of their own, the same for all", async () => {
    const scene = new Scene(host, 1000);
    const clock: { stopped?: number } = {};
    const options = { now: () => clock.stopped ?? Date.now() };
    const stores = [await scene.open(options), await scene.open(options), await scene.open(options)];
    // Everything falls into one millisecond, as far as a server lets it.
    clock.stopped = Date.now();
    const many = upTo(3000).map((i) => entry(i + 1));
    await Promise.all(stores.map((store, i) => commit(store, appendTo(`big-${i}`, 0, { entries: many }))));
    await commit(stores[0] as Store, appendTo("last", 0));
    const reader = await scene.open();
    const feed = await feedOf(reader, 9001, 0, 1000);
    expect(feed).toHaveLength(9001);
    expect(new Set(namesOf(feed)).size).toBe(9001);
    const positions = feed.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].toSorted((a, b) => a - b));
    for (const at of [0, 4095, 4096, 8191, 8192, 8999]) {
      const [next] = (await reader.tail({ after: positions[at] ?? 0, limit: 1 })).entries;
      expect(next).toEqual(feed[at + 1]);
    }
  });

  it("a trimmed entry keeps its place, so that cursors behind it stay where they are", async () => {
    const scene = new Scene(host);
    const clock: { stopped?: number } = {};
    const store = await scene.open({ now: () => clock.stopped ?? Date.now() });
    clock.stopped = Date.now();
    await commit(store, ...["a", "b", "c"].map((row) => appendTo(row, 0)));
    const reader = await scene.open();
    const before = await feedOf(reader, 3);
    await commit(store, appendTo("a", 1, { entries: [], trimBelow: 2 }));
    const after = await feedOf(await scene.open(), 2);
    expect(after).toEqual(before.slice(1));
    expect((await reader.tail({ after: before[1]?.position ?? 0, limit: 9 })).entries).toEqual(before.slice(2));
  });

  it("listeners hear when what they may not read yet has become old enough", async () => {
    const scene = new Scene(host);
    const [writer, reader] = [await scene.open(), await scene.open()];
    const abort = new AbortController();
    const hints = reader.wake({ signal: abort.signal })[Symbol.asyncIterator]();
    await commit(writer, appendTo("a", 0));
    const wait = async (): Promise<void> => {
      while ((await all(reader)).length === 0) await hints.next();
    };
    await within(30_000, "a hint at the right time", wait());
    expect(namesOf(await all(reader))).toEqual(["a:1"]);
    abort.abort();
  });
});

describeBigtable("Bigtable, clocks", (host) => {
  it.each([-1, 1])("one that is too far off is refused at start", async (direction) => {
    const scene = new Scene(host);
    await scene.open();
    // 100 ms of lag allow for 25 ms.
    const open = scene.open({ now: () => Date.now() + direction * 90 });
    await expect(open).rejects.toMatchObject({ reason: "STORE_NOT_USABLE" });
    await expect(open).rejects.toThrow(direction < 0 ? /ms behind Bigtable's/ : /ms ahead of Bigtable's/);
  });

  it("one that goes wrong while the server runs stops its commits and its feed, not its reads of rows, until it is right again", async () => {
    const scene = new Scene(host);
    const clock = { off: 0 };
    const warned: string[] = [];
    const gauges = new Map<string, number>();
    const store = await scene.open({
      now: () => Date.now() + clock.off,
      clockEveryMs: 20,
      observer: {
        warn: (message) => void warned.push(message),
        gauge: (name, _help, value) => void gauges.set(name, value),
      },
    });
    await commit(store, appendTo("a", 0));
    clock.off = -500;
    await expect.poll(() => warned.length).toBe(1);
    expect(warned[0]).toMatch(/clock is \d+ ms behind/);
    expect(gauges.get("bigtable_clock_offset_ms")).toBeLessThan(-400);
    await expect(store.append([appendTo("a", 1)])).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    await expect(store.tail({ after: 0, limit: 1 })).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    expect((await rowOf(store, "a")).version).toBe(1);
    clock.off = 0;
    await expect
      .poll(() => store.append([appendTo("a", 1)]).catch(() => undefined))
      .toMatchObject([{ kind: "committed" }]);
  });

  it("those that differ as much as they may leave the feed complete", { timeout: 60_000 }, async () => {
    const scene = new Scene(host);
    const offsets = [-20, 0, 20];
    const stores = await Promise.all(offsets.map((off) => scene.open({ now: () => Date.now() + off })));
    const reader = stores[2] as Store;
    const rounds = 60;
    const followed: FeedEntry[] = [];
    const follow = async (): Promise<void> => {
      while (followed.length < 3 * rounds) {
        followed.push(...(await reader.tail({ after: followed.at(-1)?.position ?? 0, limit: 5 })).entries);
        await pause(1);
      }
    };
    const write = async (store: Store, i: number): Promise<void> => {
      for (const version of upTo(rounds)) await commit(store, appendTo(`row-${i}`, version));
    };
    await within(50_000, "reading on", Promise.all([follow(), ...stores.map(write)]));
    expect(await feedOf(stores[0] as Store, 3 * rounds)).toEqual(followed);
  });
});

describeBigtable("Bigtable, the feed over damaged cells", (host) => {
  const warned: string[] = [];
  const observer = { warn: (message: string): void => void warned.push(message), gauge: (): void => undefined };

  /** Rows a, b and c with three, one and one entries, of which something is changed; and a server that has seen none of it. */
  async function damaged(
    change: (
      keys: Keys,
      announcedAs: (row: string) => string,
    ) => { readonly key: string; readonly mutations: Mutation[] },
  ): Promise<{ readonly scene: Scene; readonly reader: Store; readonly before: readonly FeedEntry[] }> {
    warned.length = 0;
    const scene = new Scene(host);
    const writer = await scene.open();
    const body = patternBytes(200_000, 1);
    await commit(writer, appendTo("a", 0, { entries: [entry(1), entry(2, { body }), entry(3)] }));
    await commit(writer, appendTo("b", 0));
    const before = await feedOf(writer, 4);
    const target = parseBigtableUrl(scene.url());
    const feedKeys = (await rowsOfJournal(scene.url())).map(({ key }) => key).filter((key) => key.startsWith("f#"));
    const announcedAs = (row: string): string =>
      `${target.prefix}/${feedKeys.find((key) => key.includes(`#${row}#`)) ?? "none"}`;
    await (await rawTable(scene.url())).change([change(new Keys(target.prefix), announcedAs)]);
    await commit(writer, appendTo("c", 0));
    return { scene, reader: await scene.open({ observer }), before };
  }

  it("goes on behind an entry that cannot be read, in whose place there is nothing, and names it once", async () => {
    const { scene, reader, before } = await damaged((keys) => ({
      key: keys.row("a" as RowId),
      mutations: [setCell(entryColumn(2), '{"format":')],
    }));
    const feed = await feedOf(reader, 4);
    expect(namesOf(feed)).toEqual(["a:1", "a:3", "b:1", "c:1"]);
    // Every other entry is where it was, for those whose cursor is among them.
    expect(feed.slice(0, 3)).toEqual(before.filter(({ seq, row }) => row !== "a" || seq !== 2));
    expect(await feedOf(reader, 4)).toEqual(feed);
    expect(warned).toEqual([expect.stringMatching(/^row a cannot be read: its entry 2 is damaged.*feed.*without/)]);
    // Whoever asks for the row itself is told.
    await expect(reader.read("a" as RowId)).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
    // So does a server that begins behind it, and one that begins in the middle.
    const other = await scene.open({ observer });
    expect((await other.tail({ after: before[0]?.position ?? 0, limit: 10 })).entries).toEqual(feed.slice(1));
  });

  it("goes on behind a commit of which no entry can be read", async () => {
    const { reader } = await damaged((keys) => ({
      key: keys.row("b" as RowId),
      mutations: [setCell(entryColumn(1), "")],
    }));
    expect(namesOf(await feedOf(reader, 4))).toEqual(["a:1", "a:2", "a:3", "c:1"]);
    expect(warned).toHaveLength(1);
  });

  it.each([
    ["mark", markColumn, "t1 what"],
    ["line about dropped bodies", droppedColumn, "what"],
  ])("gives every entry of a row whose %s cannot be read", async (_what, column, text) => {
    const { reader } = await damaged((keys) => ({
      key: keys.row("a" as RowId),
      mutations: [setCell(column, text)],
    }));
    expect(namesOf(await feedOf(reader, 5))).toEqual(["a:1", "a:2", "a:3", "b:1", "c:1"]);
  });

  it.each(["a1 0.0", "a1 0.0 1 9999999999", "a1 0.0 0 3", `a1 0.0 1${"0".repeat(20)} 3`])(
    "finds the entries of an announcement that cannot be read on their row, and names it once: %s",
    async (text) => {
      const { reader, before } = await damaged((_keys, announcedAs) => ({
        key: announcedAs("a"),
        mutations: [setCell(keyColumn, text)],
      }));
      const feed = await feedOf(reader, 5);
      expect(namesOf(feed)).toEqual(["a:1", "a:2", "a:3", "b:1", "c:1"]);
      expect(feed.slice(0, 4)).toEqual(before);
      await feedOf(reader, 5);
      expect(warned).toEqual([expect.stringMatching(/announcement.*row a/)]);
    },
  );

  it("passes by a feed key that is none, and names it", async () => {
    const { reader } = await damaged((_keys, announcedAs) => ({
      key: `${announcedAs("a").slice(0, announcedAs("a").indexOf("#", announcedAs("a").indexOf("f#") + 2))}#17`,
      mutations: [setCell(keyColumn, "a1 0.0 1 1")],
    }));
    expect(namesOf(await feedOf(reader, 5))).toEqual(["a:1", "a:2", "a:3", "b:1", "c:1"]);
    expect(warned).toHaveLength(1);
  });

  it("stops at an entry of a newer format, which a newer server gives", async () => {
    const { reader } = await damaged((keys) => ({
      key: keys.row("a" as RowId),
      mutations: [setCell(entryColumn(2), '{"format":2}\n{}')],
    }));
    await expect(reader.tail({ after: 0, limit: 10 })).rejects.toMatchObject({ reason: "FORMAT_NEWER" });
  });

  it("does not stop a sweep, which takes nothing away that is of a damaged entry", async () => {
    const { scene, reader } = await damaged((keys) => ({
      key: keys.row("a" as RowId),
      mutations: [setCell(entryColumn(2), "")],
    }));
    const rows = (await rowsOfJournal(scene.url())).length;
    for (let after: string | undefined; ;) {
      const step = await reader.sweep?.({ after, limit: 10 });
      expect(step?.removed).toBe(0);
      after = step?.next;
      if (after === undefined) break;
    }
    expect(await rowsOfJournal(scene.url())).toHaveLength(rows);
    expect(rows).toBeGreaterThan(7);
  });
});
