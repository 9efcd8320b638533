import { expect, it, onTestFinished } from "vitest";
import { defaultDeadlines, type Database } from "../../src/store/spanner/database.ts";
import { Place } from "../../src/store/spanner/place.ts";
import { serviceLimits } from "../../src/store/spanner/row-writes.ts";
import { parseSpannerUrl } from "../../src/store/spanner/spanner-url.ts";
import { startingWith } from "../../src/store/spanner/values.ts";
import { appendTo, commit, entry, patternBytes, rowOf, upTo } from "../../src/testing/test-store/material.ts";
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

describeSpanner("Spanner, retention", (host) => {
  it("compacts runs, then deletes them", async () => {
    await expect(mustRetireRuns(await new Scene(host).open())).resolves.toBeUndefined();
  });
});
