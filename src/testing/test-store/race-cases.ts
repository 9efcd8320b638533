import assert from "node:assert/strict";
import type { Store } from "../../store/store.ts";
import { appendTo, feedOf, inTurn, namesOf, rowId, rowOf, upTo } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

/** Several writers at once. */
export const raceCases: readonly StoreCase[] = [
  storeCase("race: of all who write on one version exactly one wins", async ({ objects }) => {
    const stores = await objects(4);
    const append = inTurn();
    const versions = 60;
    const winners = new Map<number, string>();
    const write = async (store: Store): Promise<void> => {
      for (;;) {
        const version = (await store.read(rowId("a"), { limit: 0 }))?.version ?? 0;
        if (version >= versions) return;
        const attempt = appendTo("a", version);
        const [outcome] = await append(store, [attempt]);
        if (outcome?.kind === "committed") {
          assert.equal(winners.get(version), undefined, `two commits on version ${version}`);
          winners.set(version, attempt.commitId);
        } else {
          assert.ok(
            outcome?.kind === "conflict" && outcome.version > version,
            `a conflict with ${JSON.stringify(outcome)}`,
          );
        }
      }
    };
    await Promise.all(stores.map(write));
    assert.deepEqual(
      [...winners.keys()].toSorted((a, b) => a - b),
      upTo(versions),
    );
    const { version, entries } = await rowOf(stores[0] as Store, "a");
    assert.equal(version, versions);
    assert.deepEqual(
      entries.map(({ seq, commitId }) => [seq, commitId]),
      upTo(versions).map((at) => [at + 1, winners.get(at)]),
      "the entries are those of the winners, in order",
    );
  }),

  storeCase("race: who writes alone on a row never conflicts", async ({ objects }) => {
    const stores = await objects(3);
    const append = inTurn();
    const rounds = 30;
    const write = async (store: Store, writer: number): Promise<void> => {
      const rows = upTo(5).map((i) => `w${writer}-${i}`);
      for (const version of upTo(rounds)) {
        const outcomes = await append(
          store,
          rows.map((row) => appendTo(row, version)),
        );
        for (const outcome of outcomes) assert.equal(outcome.kind, "committed", JSON.stringify(outcome));
      }
    };
    await Promise.all(stores.map(write));
    const feed = await feedOf(stores[0] as Store, stores.length * 5 * rounds);
    assert.equal(new Set(namesOf(feed)).size, stores.length * 5 * rounds);
  }),

  storeCase("race: batches that share rows commit each row of them once", async ({ objects }) => {
    const stores = await objects(3);
    const append = inTurn();
    const rows = upTo(8).map((i) => `row-${i}`);
    const wins = await Promise.all(
      stores.map(async (store, writer) => {
        const mine = rows.toSorted((a, b) => (writer % 2 === 0 ? 1 : -1) * (a < b ? -1 : 1));
        const outcomes = await append(
          store,
          mine.map((row) => appendTo(row, 0)),
        );
        return mine.filter((_, i) => outcomes[i]?.kind === "committed");
      }),
    );
    // One object shared by all writers is one writer at a time, with the same result.
    assert.deepEqual(wins.flat().toSorted(), rows);
    for (const row of rows) assert.equal((await rowOf(stores[0] as Store, row)).version, 1);
  }),
];
