import { expect, it } from "vitest";
import { parseBigtableUrl } from "../../src/store/bigtable/bigtable-url.ts";
import { Keys } from "../../src/store/bigtable/keys.ts";
import { serviceLimits } from "../../src/store/bigtable/row-changes.ts";
import { Sweeper } from "../../src/store/bigtable/sweeper.ts";
import type { Store } from "../../src/store/store.ts";
import {
  appendTo,
  commit,
  entry,
  feedOf,
  namesOf,
  patternBytes,
  rowOf,
  upTo,
} from "../../src/testing/test-store/material.ts";
import { gate } from "../emulators/gate.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { mustRetireRuns } from "../engine/retained-run.ts";
import { Scene } from "./fixture.ts";
import { rawTable, rowsOfJournal } from "./raw-table.ts";

const small = (seq: number): Uint8Array => patternBytes(9000, seq);
const large = (seq: number): Uint8Array => patternBytes(20_000, seq);

/** Columns of bodies in the row, and the keys of those kept apart. */
async function bodiesOf(scene: Scene): Promise<{ readonly inline: readonly string[]; readonly apart: number }> {
  const rows = await rowsOfJournal(scene.url());
  const row = rows.find(({ key }) => key.startsWith("r#"));
  return {
    inline: [...(row?.cells.keys() ?? [])].filter((name) => name.startsWith("b")),
    apart: rows.filter(({ key }) => key.startsWith("o#")).length,
  };
}

/** The size that the row is said to have. */
async function sizeOf(scene: Scene): Promise<number> {
  const row = (await rowsOfJournal(scene.url())).find(({ key }) => key.startsWith("r#"));
  return Number(row?.cells.get("v")?.toString().split(" ")[4]);
}

/** A whole sweep, in steps; how much it removed. */
async function sweep(store: Pick<Store, "sweep">, limit: number): Promise<number> {
  let removed = 0;
  let after: string | undefined;
  do {
    const step = await store.sweep?.({ limit, after });
    removed += step?.removed ?? 0;
    after = step?.next;
  } while (after !== undefined);
  return removed;
}

describeBigtable("Bigtable, bodies that are dropped", (host) => {
  it("are gone from the row and from rows of their own, and the row's size says so", async () => {
    const scene = new Scene(host);
    const store = await scene.open();
    const bodies = [small(1), large(2), small(3), patternBytes(0, 4), small(5)];
    await commit(store, appendTo("a", 0, { entries: bodies.map((body, i) => entry(i + 1, { body })) }));
    expect(await bodiesOf(scene)).toMatchObject({ inline: { length: 4 }, apart: 1 });
    const before = await sizeOf(scene);
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 5 }));
    expect(await sizeOf(scene)).toBe(before - 18_000);
    await expect.poll(() => bodiesOf(scene)).toEqual({ inline: ["b0000000005"], apart: 0 });
    // What is trimmed later is not counted a second time.
    await commit(store, appendTo("a", 2, { entries: [], trimBelow: 4 }));
    await commit(store, appendTo("a", 3, { entries: [], dropBodiesBelow: 6 }));
    const left = (await rowsOfJournal(scene.url())).find(({ key }) => key.startsWith("r#"));
    const cells = [...(left?.cells ?? [])].filter(([name]) => name.startsWith("j"));
    expect(await sizeOf(scene)).toBe(cells.reduce((sum, [, cell]) => sum + cell.length, 0));
  });

  it("make room in a row that was full", async () => {
    const limits = { ...serviceLimits, warnBytes: 20_000, rowBytes: 40_000, lastBytes: 50_000 };
    const store = await new Scene(host).open({ limits });
    for (const version of upTo(4)) {
      await commit(store, appendTo("a", version, { entries: [entry(version + 1, { body: small(version) })] }));
    }
    const more = appendTo("a", 4, { entries: [entry(5, { body: small(5) })] });
    expect(await store.append([more])).toMatchObject([{ kind: "refused" }]);
    await commit(store, appendTo("a", 4, { entries: [], dropBodiesBelow: 5 }));
    await commit(store, { ...more, expect: 5 });
    expect((await rowOf(store, "a")).entries.map(({ body }) => body?.length)).toEqual([
      ...upTo(4).map(() => undefined),
      9000,
    ]);
  });

  it("are gone for readers at once, also those that the commit has no room to delete", async () => {
    const scene = new Scene(host, 10_000);
    const { store, proxy } = await scene.openProxied({ limits: { ...serviceLimits, mutations: 8 } });
    const reader = await scene.open();
    for (const version of upTo(4)) {
      const entries = [1, 2, 3].map((i) => entry(version * 3 + i, { body: patternBytes(10, i) }));
      await commit(store, appendTo("a", version, { entries: entries.slice(0, 3) }));
    }
    const paused = gate();
    proxy.forget();
    proxy.act = ({ method }) => (method === "MutateRows" ? { kind: "hold", until: paused.opened } : { kind: "pass" });
    await commit(store, appendTo("a", 4, { entries: [], dropBodiesBelow: 13 }));
    expect((await bodiesOf(scene)).inline).toHaveLength(8);
    expect((await rowOf(reader, "a")).entries.every(({ body }) => body === undefined)).toBe(true);
    paused.open();
    await expect.poll(async () => (await bodiesOf(scene)).inline).toEqual([]);
  });
});

describeBigtable("Bigtable, a sweep", (host) => {
  it("removes bodies that no entry has, and no others", async () => {
    const scene = new Scene(host);
    const store = await scene.open();
    await commit(store, appendTo("a", 0, { entries: [1, 2, 3].map((seq) => entry(seq, { body: large(seq) })) }));
    await commit(store, appendTo("b", 0, { entries: [entry(1, { body: large(9) })] }));
    const table = await rawTable(scene.url());
    const apart = (await rowsOfJournal(scene.url())).filter(({ key }) => key.startsWith("o#"));
    expect(apart).toHaveLength(4);
    const prefix = `${parseBigtableUrl(scene.url()).prefix}/`;
    /** A body as a commit leaves it that came to nothing, or whose removal failed. */
    const leave = async (key: string): Promise<void> => {
      const value = Buffer.from("x");
      const mutation = { familyName: "m", columnQualifier: Buffer.from("p0000"), timestampMicros: 0, value };
      await table.change([{ key: `${prefix}${key}`, mutations: [{ setCell: mutation }] }]);
    };
    const ofFirst = apart.find(({ key }) => key.includes("#a#0000000001#"))?.key ?? "";
    await leave(ofFirst.replace(/[^#]+$/, "another-hash"));
    // Its seq is still to come, so its commit may be under way; and so may one that makes its row.
    const [underWay, ofNewRow] = [ofFirst.replace("0000000001", "0000000004"), ofFirst.replace("#a#", "#c#")];
    await leave(underWay);
    await leave(ofNewRow);
    // Dropped, but for the removal of what was kept apart.
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 2 }));
    await expect.poll(async () => (await bodiesOf(scene)).apart).toBe(6);
    await leave(ofFirst);
    expect(await sweep(store, 2)).toBe(2);
    const left = (await rowsOfJournal(scene.url())).map(({ key }) => key).filter((key) => key.startsWith("o#"));
    expect(left.toSorted()).toEqual(
      [...apart.map(({ key }) => key).filter((key) => key !== ofFirst), underWay, ofNewRow].toSorted(),
    );
    expect((await rowOf(store, "a")).entries.map(({ body }) => body?.length)).toEqual([undefined, 20_000, 20_000]);
    expect((await rowOf(store, "b")).entries[0]?.body).toEqual(large(9));
    expect(await sweep(store, 100)).toBe(0);
  });

  it("removes feed keys of what was trimmed long ago, and every position stays", async () => {
    const scene = new Scene(host);
    const store = await scene.open();
    for (const version of upTo(12)) {
      const rows = version % 3 === 0 ? ["a", "b"] : ["a", "c"];
      const versions = new Map([
        ["a", version],
        ["b", version / 3],
        ["c", version - 1 - Math.floor(version / 3)],
      ]);
      await commit(store, ...rows.map((row) => appendTo(row, versions.get(row) ?? 0)));
    }
    for (const [row, expected] of [
      ["a", 12],
      ["c", 8],
    ] as const) {
      await commit(store, appendTo(row, expected, { entries: [], trimBelow: expected + 1 }));
    }
    const before = await feedOf(store, 4);
    expect(namesOf(before)).toEqual(["b:1", "b:2", "b:3", "b:4"]);
    const feedKeys = async (): Promise<readonly string[]> =>
      (await rowsOfJournal(scene.url())).map(({ key }) => key).filter((key) => key.startsWith("f#"));
    const all = await feedKeys();
    expect(all).toHaveLength(24);
    expect(await sweep(store, 100), "what is young is left alone").toBe(0);

    const target = parseBigtableUrl(scene.url());
    const keys = new Keys(target.prefix);
    const table = await rawTable(scene.url());
    const sweeper = new Sweeper({ table, keys, now: () => Date.now() + 2 * 3_600_000 });
    const removed = await sweep({ sweep: (options) => sweeper.sweep(options) }, 3);
    const msOf = (key: string): string => key.split("#")[2] ?? "";
    const living = new Set(all.filter((key) => key.split("#")[3] === "b").map(msOf));
    const left = all.filter((key) => living.has(msOf(key)));
    expect(await feedKeys()).toEqual(left);
    expect(removed).toBe(24 - left.length);
    expect(removed).toBeGreaterThan(0);
    expect(await feedOf(store, 4)).toEqual(before);
    const fresh = await scene.open();
    expect(await feedOf(fresh, 2, before[1]?.position)).toEqual(before.slice(2));
  });
});

describeBigtable("Bigtable, retention", (host) => {
  it("compacts runs, then deletes them, and leaves of each its row only", async () => {
    const scene = new Scene(host);
    await expect(mustRetireRuns(await scene.open())).resolves.toBeUndefined();
    const rows = await rowsOfJournal(scene.url());
    const deleted = rows.filter(({ cells }) => cells.get("h")?.includes('"kind":"deleted-run"') === true);
    expect(deleted.map(({ cells }) => [...cells.keys()])).toEqual([
      ["h", "v"],
      ["h", "v"],
    ]);
    await expect.poll(async () => (await bodiesOf(scene)).apart).toBe(0);
  });
});
