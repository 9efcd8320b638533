import assert from "node:assert/strict";
import { TapeError } from "../../src/errors.ts";
import type { Append, AppendOutcome, Store } from "../../src/store/store.ts";
import { appendTo, feedOf, namesOf, pause, rowId, rowOf, upTo, within } from "../../src/testing/test-store/material.ts";

/** One attempt to write, and what the store said of it. */
interface Attempt {
  readonly append: Append;
  readonly said: AppendOutcome["kind"] | "rejected";
}

const rowsOfOne = 4;
const sharedRows = 4;
/** More than any outage of a test, so that a hang is told from waiting. */
const patienceMs = 30_000;

/** Writers on several store objects that go on until told to stop, and keep account of everything they were told. */
export class AppendLoad {
  readonly #attempts: Attempt[] = [];
  readonly #working: Promise<unknown>;
  #isOver = false;
  /** Appends that were reported committed. */
  committed = 0;

  constructor(stores: readonly Store[], writersOfOne: number) {
    const writers = stores.flatMap((store, s) => upTo(writersOfOne).map((w) => this.#write(store, `${s}-${w}`)));
    this.#working = Promise.all(writers);
    this.#working.catch(() => undefined);
  }

  /** Waits for that many more commits. */
  async progress(commits: number): Promise<void> {
    const goal = this.committed + commits;
    const reached = async (): Promise<void> => {
      while (this.committed < goal) await pause(2);
    };
    await Promise.race([within(patienceMs, "progress", reached()), this.#working]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  /** How often the store said this. */
  count(said: Attempt["said"]): number {
    return this.#attempts.filter((attempt) => attempt.said === said).length;
  }

  /** Compares what was said with what is there. */
  async verify(store: Store): Promise<void> {
    const places = new Map<string, string[]>();
    let entries = 0;
    for (const row of new Set(this.#attempts.map(({ append }) => append.row))) {
      const slice = await store.read(row);
      assert.deepEqual(
        slice?.entries.map(({ seq }) => seq) ?? [],
        upTo(slice?.version ?? 0).map((n) => n + 1),
      );
      for (const { commitId, seq } of slice?.entries ?? []) {
        places.set(commitId, [...(places.get(commitId) ?? []), `${row}:${seq}`]);
        entries += 1;
      }
    }
    for (const { append, said } of this.#attempts) {
      const found = places.get(append.commitId) ?? [];
      const isThere = said === "committed" || (said === "unknown" && found.length > 0);
      assert.deepEqual(found, isThere ? [`${append.row}:${append.expect + 1}`] : [], `said to be ${said}`);
    }
    const feed = await feedOf(store, entries);
    assert.equal(feed.length, entries);
    assert.equal(new Set(namesOf(feed)).size, entries);
  }

  async #write(store: Store, name: string): Promise<void> {
    const rows = [...upTo(rowsOfOne).map((n) => `${name}/${n}`), ...upTo(sharedRows).map((n) => `shared/${n}`)];
    const versions = new Map(rows.map((row) => [row, 0]));
    while (!this.#isOver) {
      // In an order of its own, so that writers meet in the shared rows from all sides.
      const batch = rows.toSorted(() => Math.random() - 0.5).map((row) => appendTo(row, versions.get(row) ?? 0));
      const outcomes = await within(patienceMs, "an append", this.#send(store, batch));
      for (const [i, append] of batch.entries()) {
        const outcome = outcomes?.[i];
        this.#attempts.push({ append, said: outcome?.kind ?? "rejected" });
        if (outcome?.kind === "committed") {
          this.committed += 1;
          versions.set(append.row, append.expect + 1);
        } else if (outcome?.kind === "conflict") {
          assert.notEqual(outcome.version, append.expect);
          versions.set(append.row, outcome.version);
        }
      }
      if (outcomes === undefined) await pause(5);
      else if (outcomes.some(({ kind }) => kind === "unknown")) await this.#catchUp(store, versions);
    }
  }

  async #send(store: Store, batch: readonly Append[]): Promise<readonly AppendOutcome[] | undefined> {
    try {
      return await store.append(batch);
    } catch (error) {
      if (!(error instanceof TapeError) || error.reason !== "STORE_UNAVAILABLE") throw error;
      return undefined;
    }
  }

  /**
   * A lost append may yet arrive, so that its row may move even now: the writer finds out by losing. What counts is that
   * nothing that was refused is ever written.
   */
  async #catchUp(store: Store, versions: Map<string, number>): Promise<void> {
    for (const row of versions.keys()) {
      try {
        versions.set(row, (await store.read(rowId(row), { limit: 0 }))?.version ?? 0);
      } catch (error) {
        if (!(error instanceof TapeError) || error.reason !== "STORE_UNAVAILABLE") throw error;
      }
    }
  }
}

/** The version a row is at. */
export const versionOf = async (store: Store, row: string): Promise<number> => (await rowOf(store, row)).version;
