import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { describePostgres, newSchema } from "../postgres/shared-server.ts";
import { experimental, newDatabase } from "../spanner/databases.ts";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import { openSqlite } from "../../src/store/sqlite/open-sqlite.ts";
import {
  appendTo,
  commit,
  entry,
  feedOf,
  namesOf,
  patternBytes,
  rowId,
  rowOf,
  within,
} from "../../src/testing/test-store/material.ts";
import { Place } from "../../src/store/spanner/place.ts";
import { defaultDeadlines } from "../../src/store/spanner/database.ts";
import { headSeq, rowKey } from "../../src/store/spanner/keys.ts";
import { parseSpannerUrl } from "../../src/store/spanner/spanner-url.ts";
import { wireList } from "../../src/store/spanner/values.ts";
import { Scene } from "../spanner/fixture.ts";
import { damageRows } from "./damaged-rows.ts";
import { postgresDamage, spannerDamage, sqliteDamage, type ExpectedDamage } from "./expectations.ts";
import type { DamageHand } from "./hand.ts";
import { spannerHand } from "./spanner-hand.ts";
import { postgresHand, sqliteHand } from "./sql-hand.ts";

/** A journal that nobody else has; what its store tells an operator goes to `told`. */
async function openJournal(url: string, told: string[] = []): Promise<Store> {
  const store = await createStore(url, {
    environment: experimental,
    observer: { warn: (message) => void told.push(message), gauge: () => undefined },
  });
  onTestFinished(() => store.close());
  await store.migrate({ dryRun: false });
  return store;
}

async function newFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tape-damage-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, "tape.db");
}

/** What comes of them all at once: many damaged rows stop no more than one. */
async function seenOf(
  store: Store,
  hand: DamageHand,
  damages: readonly ExpectedDamage[],
): Promise<readonly ExpectedDamage[]> {
  onTestFinished(() => hand.close());
  const seen = await damageRows(store, hand, damages);
  return damages.map((one, i) => ({ ...one, seen: seen[i] }));
}

describe("SQLite, damaged columns", () => {
  it("a damaged row is named, and stops nothing else", async () => {
    const path = await newFile();
    const store = await openJournal(`sqlite:${path}`);
    expect(await seenOf(store, await sqliteHand(path), sqliteDamage)).toEqual(sqliteDamage);
  });

  it.each([
    ["an entry has the position that is given next", "update tape_entries set position = 3 where position = 1"],
    ["the counter of positions has fallen back", "update tape_meta set value = 0 where name = 'feed'"],
    ["a body has been left at the position that is given next", "insert into tape_bodies values (3, x'00')"],
  ])("appends go on, and the feed, where %s", async (_what, change) => {
    const path = await newFile();
    const store = await openJournal(`sqlite:${path}`);
    const body = patternBytes(5000, 1);
    await commit(store, appendTo("a", 0), appendTo("b", 0));
    const database = await openSqlite(path, { readOnly: false });
    database.exec(change);
    database.close();
    await commit(store, appendTo("c", 0, { entries: [entry(1, { body })] }), appendTo("d", 0));
    expect(namesOf(await feedOf(store, 4)).toSorted()).toEqual(["a:1", "b:1", "c:1", "d:1"]);
    expect((await rowOf(store, "c")).entries).toMatchObject([{ body }]);
  });
});

describePostgres("PostgreSQL, damaged columns", (postgres) => {
  it("a damaged row is named, and stops nothing else", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const hand = await postgresHand(postgres.directUrl, schema.name);
    expect(await seenOf(await openJournal(schema.url), hand, postgresDamage)).toEqual(postgresDamage);
  });

  it("a server that only looks now and then hears of commits though a position is beyond them all, and names the entry", async () => {
    const schema = await newSchema();
    onTestFinished(() => schema.drop());
    const told: string[] = [];
    const reader = postgresStore(`${schema.url}&listen=false`, {
      observer: { warn: (message) => void told.push(message), gauge: () => undefined },
      horizonEveryMs: 20,
    });
    onTestFinished(() => reader.close());
    await reader.migrate({ dryRun: false });
    const writer = await openJournal(schema.url);
    await commit(writer, appendTo("a", 0), appendTo("b", 0));
    const hand = await postgresHand(postgres.directUrl, schema.name);
    onTestFinished(() => hand.close());
    const cells = await hand.cells(rowId("a"), "tape_entries");
    const cell = cells.find(({ column }) => column === "tape_entries.position");
    if (cell !== undefined) await hand.write(cell, 2n ** 62n);
    const left = new AbortController();
    const hints = reader.wake({ signal: left.signal })[Symbol.asyncIterator]();
    // The first look is a hint itself.
    await hints.next();
    const heard = hints.next();
    await commit(writer, appendTo("c", 0));
    await within(20_000, "hearing of a commit", heard);
    left.abort();
    expect(namesOf(await feedOf(reader, 2))).toEqual(["b:1", "c:1"]);
    const aboutEntries = (): readonly string[] => told.filter((message) => message.includes("entry"));
    await expect.poll(aboutEntries).toEqual([expect.stringMatching(/^the position of entry 1 of row a is damaged/)]);
  });
});

describeSpanner("Spanner, damaged columns", (host) => {
  it("a damaged row is named, and stops nothing else", async () => {
    const url = newDatabase(host);
    const told: string[] = [];
    const store = await openJournal(url, told);
    expect(await seenOf(store, await spannerHand(url), spannerDamage)).toEqual(spannerDamage);
    // Once each, though the feed was read again and again.
    const isUnreadable = ({ column, seen }: ExpectedDamage): boolean =>
      seen !== undefined && /feed.(?:first_seq|entries)/.test(column);
    expect(told.filter((message) => message.includes("tape_feed"))).toHaveLength(
      spannerDamage.filter(isUnreadable).length,
    );
  });

  it("a row whose head has gone is named, and not taken for one that is not there", async () => {
    const scene = new Scene(host);
    const store = await scene.open();
    await commit(store, appendTo("a", 0), appendTo("b", 0));
    const place = new Place(parseSpannerUrl(scene.url()), defaultDeadlines);
    onTestFinished(() => place.close());
    const keySet = { keys: [wireList([...rowKey(rowId("a")), headSeq])] };
    await (await place.open()).commit([{ delete: { table: "tape_entries", keySet } }]);
    await expect(store.read(rowId("a"))).rejects.toMatchObject({ reason: "STORE_CORRUPT" });
    const [a, b] = await store.append([appendTo("a", 1), appendTo("b", 1)]);
    expect(b).toMatchObject({ kind: "committed" });
    expect(a).toMatchObject({ kind: "conflict", version: 0 });
    expect(namesOf(await feedOf(store, 3))).toEqual(["a:1", "b:1", "b:2"]);
  });
});
