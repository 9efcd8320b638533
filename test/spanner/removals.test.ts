import { expect, it, onTestFinished } from "vitest";
import { defaultDeadlines, type Database } from "../../src/store/spanner/database.ts";
import { Place } from "../../src/store/spanner/place.ts";
import { serviceLimits } from "../../src/store/spanner/row-writes.ts";
import { parseSpannerUrl } from "../../src/store/spanner/spanner-url.ts";
import { Sweeper } from "../../src/store/spanner/sweeper.ts";
import { msOfTimestamp, startingWith } from "../../src/store/spanner/values.ts";
import { appendTo, commit, entry, feedOf, patternBytes, rowOf, upTo } from "../../src/testing/test-store/material.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { mustRetireRuns } from "../engine/retained-run.ts";
import { Scene } from "./fixture.ts";

async function databaseOf(scene: Scene): Promise<Database> {
  const place = new Place(parseSpannerUrl(scene.url()), defaultDeadlines);
  onTestFinished(() => place.close());
  return place.open();
}

/** Seqs of entries that have a body in their row, and parts of bodies kept apart. */
async function bodiesIn(database: Database): Promise<{ readonly inline: readonly number[]; readonly parts: number }> {
  const all = { keySet: { ranges: [startingWith()] } };
  const entries = await database.read({ table: "tape_entries", columns: ["seq", "body"], ...all });
  const parts = await database.read({ table: "tape_bodies", columns: ["seq"], ...all });
  return {
    inline: entries.rows.filter((row) => !row.isNull(1)).map((row) => row.number(0)),
    parts: parts.rows.length,
  };
}

describeSpanner("Spanner, bodies that are dropped", (host) => {
  it("are gone from the tables", async () => {
    const scene = new Scene(host);
    const store = await scene.open({ limits: { ...serviceLimits, partBytes: 50_000 } });
    const bodies = [100, 120_000, 0, 70_000, 5].map((length, i) => patternBytes(length, i));
    await commit(store, appendTo("a", 0, { entries: bodies.map((body, i) => entry(i + 1, { body })) }));
    const database = await databaseOf(scene);
    expect(await bodiesIn(database)).toEqual({ inline: [1, 3, 5], parts: 5 });
    await commit(store, appendTo("a", 1, { entries: [], dropBodiesBelow: 4 }));
    expect(await bodiesIn(database)).toEqual({ inline: [5], parts: 2 });
    await commit(store, appendTo("a", 2, { entries: [], dropBodiesBelow: 6 }));
    expect(await bodiesIn(database)).toEqual({ inline: [], parts: 0 });
  });

  it("are gone also where one commit has no room for them all", async () => {
    const scene = new Scene(host);
    const store = await scene.open({ limits: { ...serviceLimits, mutations: 400 } });
    for (const version of upTo(6)) {
      const entries = upTo(20).map((i) => entry(version * 20 + i + 1, { body: patternBytes(10, i) }));
      await commit(store, appendTo("a", version, { entries }));
    }
    await commit(store, appendTo("a", 6, { entries: [], dropBodiesBelow: 121 }));
    expect((await rowOf(store, "a")).entries.every(({ body }) => body === undefined)).toBe(true);
    expect(await bodiesIn(await databaseOf(scene))).toEqual({ inline: [], parts: 0 });
  });
});

describeSpanner("Spanner, a sweep", (host) => {
  it("removes feed rows of what was trimmed long ago, and every position stays", async () => {
    const scene = new Scene(host);
    const store = await scene.open();
    for (const version of upTo(8)) {
      await commit(store, appendTo("a", version), ...(version % 2 === 0 ? [appendTo("b", version / 2)] : []));
    }
    await commit(store, appendTo("a", 8, { entries: [], trimBelow: 9 }));
    const before = await feedOf(store, 3);
    expect(before.map(({ row, seq }) => `${row}:${seq}`)).toEqual(["b:1", "b:2", "b:3", "b:4"]);
    const database = await databaseOf(scene);
    const feedRows = async (): Promise<readonly string[]> => {
      const read = { table: "tape_feed", columns: ["committed_at", "row_id"], keySet: { ranges: [startingWith()] } };
      return (await database.read(read)).rows.map((row) => `${msOfTimestamp(row.text(0))} ${row.text(1)}`);
    };
    const all = await feedRows();
    expect(all).toHaveLength(12);
    expect(await store.sweep?.({ limit: 100 }), "what is young is left alone").toEqual({ removed: 0 });
    const sweeper = new Sweeper(database, -1000);
    let removed = 0;
    for (let after: string | undefined, steps = 0; ; steps += 1) {
      expect(steps).toBeLessThan(20);
      const step = await sweeper.sweep({ after, limit: 3 });
      removed += step.removed;
      after = step.next;
      if (after === undefined) break;
    }
    const living = new Set(all.filter((row) => row.endsWith(" b")).map((row) => row.split(" ")[0]));
    const left = all.filter((row) => living.has(row.split(" ")[0]));
    expect((await feedRows()).toSorted()).toEqual(left.toSorted());
    expect(removed).toBe(12 - left.length);
    expect(removed).toBeGreaterThan(0);
    expect(await feedOf(store, 3)).toEqual(before);
    expect(await feedOf(await scene.open(), 2, before[1]?.position)).toEqual(before.slice(2));
  });
});

describeSpanner("Spanner, retention", (host) => {
  it("compacts runs, then deletes them", async () => {
    await expect(mustRetireRuns(await new Scene(host).open())).resolves.toBeUndefined();
  });
});
