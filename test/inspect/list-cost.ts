import assert from "node:assert/strict";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { ListRunsRequest } from "../../src/model/inspect.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { Store } from "../../src/store/store.ts";
import { upTo } from "../../src/testing/test-tape/assertions.ts";
import { until } from "../postgres/server-faults.ts";
import { CountingStore, type Reads } from "./counting-store.ts";

const pageSize = 50;
/** Counts calls to a database at the wire. */
export interface WireCount {
  /** Waits until nothing is under way and counts from here. */
  readonly begin: () => Promise<void>;
  readonly calls: () => number;
}

/** Queries that an index answers. */
const indexed: readonly ListRunsRequest[] = [
  {},
  { appName: "app-1" },
  { statuses: ["RUNNING"] },
  { statuses: ["TERMINAL"] },
  { startedFromMs: 1 },
];

/** Runs of two apps, of which every second one has ended. */
async function begin(tape: Tape, from: number, count: number): Promise<void> {
  await Promise.all(
    upTo(count).map(async (i) => {
      const { runId } = await tape.beginRun({
        appName: `app-${i % 2}`,
        userId: `user-${i % 7}`,
        invocationId: String(from + i),
      });
      if (i % 4 < 2) await tape.endRun({ runId, status: "TERMINAL" });
    }),
  );
}

/** What a page took. */
export interface Cost {
  readonly reads: Reads;
  /** Calls to the database; 0 where nobody counts them. */
  readonly calls: number;
}

/** What a page of 50 runs has to take. */
export const onePage: Reads = { scans: 1, keys: pageSize, rows: pageSize, entries: 0 };
/** A call for each row and each range of the index; a store asks now and then what time it is, too. */
export const mostCalls: number = pageSize + 16 + 4;

/** What pages of 50 runs take while there are few runs, and when there are many. Leaves the store open. */
export async function costsOfPages(store: Store, few: number, many: number, wire?: WireCount): Promise<Cost[]> {
  const counting = new CountingStore(store);
  const engine = new Engine({ store: counting, reactors: false });
  try {
    const tape = engine.tape(localAccess);
    await begin(tape, 0, few);
    const before = await costs(tape, counting, wire);
    await begin(tape, few, many - few);
    return [...before, ...(await costs(tape, counting, wire))];
  } finally {
    await engine.close();
  }
}

/** Waits until no run has a key of a status that it no longer has: such keys are removed after the answer. */
async function keysRemoved(tape: Tape): Promise<void> {
  await until("every key is of a run", async () => {
    const { runs, keysRead } = await tape.inspect.listRuns({ statuses: ["RUNNING"], pageSize: 500 });
    return runs.length === keysRead;
  });
}

async function costs(tape: Tape, counting: CountingStore, wire?: WireCount): Promise<Cost[]> {
  const found: Cost[] = [];
  await keysRemoved(tape);
  for (const request of indexed) {
    counting.take();
    await wire?.begin();
    const { runs, keysRead, rowsRead } = await tape.inspect.listRuns({ ...request, pageSize });
    const reads = counting.take();
    assert.deepEqual([runs.length, keysRead, rowsRead], [pageSize, reads.keys, reads.rows]);
    found.push({ reads, calls: wire?.calls() ?? 0 });
  }
  return found;
}
