import { setTimeout as pause } from "node:timers/promises";
import { isDefinite, isPassing, isUnimplemented } from "../google/grpc-status.ts";
import type { BigtableTarget } from "./bigtable-url.ts";
import { sizeOf } from "./cells.ts";
import { once } from "../google/client-options.ts";
import type { DataClient, Filter, Mutation } from "./driver.ts";
import { family, type KeyRange } from "./keys.ts";
import { rowsOf, type BigtableRow } from "./read-rows.ts";

/** Deadlines of calls, milliseconds. */
export interface Deadlines {
  readonly read: number;
  /** Of what goes before or after a commit. */
  readonly write: number;
  readonly commit: number;
}

/** A call of the service takes some milliseconds; one that takes seconds is better asked about. */
export const defaultDeadlines: Deadlines = Object.freeze({ read: 20_000, write: 20_000, commit: 10_000 });
/** Most bytes and rows of one bulk call. */
const bulk = { bytes: 16 * 1024 * 1024, rows: 1000 } as const;
/** Pauses before a call that can safely be repeated is. */
const repeatAfterMs = [20, 100, 400] as const;

/** What to read. */
export interface RowQuery {
  readonly keys?: readonly string[];
  readonly ranges?: readonly KeyRange[];
  readonly filter: Filter;
  /** Rows at most. Default: all. */
  readonly limit?: number;
}

/** Changes of one row of the table. */
export interface RowChange {
  readonly key: string;
  readonly mutations: readonly Mutation[];
}

/** A change of a row that depends on a look at it. */
export interface ConditionalChange {
  readonly key: string;
  readonly predicate: Filter;
  /** Applied when the predicate lets a cell through. */
  readonly matched?: readonly Mutation[];
  /** Applied when it lets none through. */
  readonly unmatched?: readonly Mutation[];
}

/** The calls that a journal makes on its table, each with a deadline. They reject with what the library rejects with. */
export class Table {
  readonly #clients: readonly DataClient[];
  readonly #place: { readonly tableName: string; readonly appProfileId: string };
  readonly #instance: string;
  readonly #deadlines: Deadlines;
  #turn = 0;

  /** @param clients Calls take turns on them. */
  constructor(
    clients: readonly DataClient[],
    { project, instance, table, appProfile = "" }: BigtableTarget,
    deadlines: Deadlines,
  ) {
    this.#clients = clients;
    this.#deadlines = deadlines;
    this.#instance = `projects/${project}/instances/${instance}`;
    this.#place = { tableName: `${this.#instance}/tables/${table}`, appProfileId: appProfile };
  }

  /** Opens every connection before the first call needs it. */
  async warm(): Promise<void> {
    const request = { name: this.#instance, appProfileId: this.#place.appProfileId };
    await Promise.all(
      this.#clients.map(async (client) => {
        try {
          await client.pingAndWarm(request, once(this.#deadlines.read));
        } catch (error) {
          if (!isUnimplemented(error)) throw error;
        }
      }),
    );
  }

  /** Rows in the order of their keys, each as of one moment. */
  async read(query: RowQuery): Promise<readonly BigtableRow[]> {
    if ((query.keys ?? []).length === 0 && (query.ranges ?? []).length === 0) return [];
    return repeating(() => this.#read(query));
  }

  async #read({ keys = [], ranges = [], filter, limit = 0 }: RowQuery): Promise<readonly BigtableRow[]> {
    const rows = { rowKeys: keys.map(bytes), rowRanges: ranges.map(rowRange) };
    const stream = this.#next().readRows(
      { ...this.#place, rows, filter, rowsLimit: limit },
      once(this.#deadlines.read),
    );
    const found: BigtableRow[] = [];
    for await (const row of rowsOf(stream)) found.push(row);
    return found;
  }

  /**
   * Changes rows, each by itself. What did not arrive is sent again, so these must be changes that may be made twice and
   * in any order: keys, bodies named by their content, deletions bounded by a version.
   */
  async change(changes: readonly RowChange[]): Promise<void> {
    for (const part of parts(changes)) {
      let left = part;
      await repeating(async () => {
        left = await this.#change(left);
      });
    }
  }

  /** Gives those that are to be sent again. Rejects when some failed for good. */
  async #change(changes: readonly RowChange[]): Promise<readonly RowChange[]> {
    const entries = changes.map(({ key, mutations }) => ({ rowKey: bytes(key), mutations }));
    const stream = this.#next().mutateRows({ ...this.#place, entries }, once(this.#deadlines.write));
    const done = new Set<number>();
    for await (const answer of stream) {
      for (const { index, status } of answer.entries ?? []) {
        const code = status?.code ?? 0;
        if (code !== 0) throw Object.assign(new Error(`a row was refused with status ${code}`), { code });
        done.add(Number(index ?? 0));
      }
    }
    const left = changes.filter((_, i) => !done.has(i));
    if (left.length > 0) throw Object.assign(new Error(`${left.length} rows were not answered for`), { code: 14 });
    return left;
  }

  /**
   * Changes one row if the predicate lets something through, or if it does not; gives whether it did. Sent once, ever:
   * what became of a call whose answer was lost, only the row can say.
   */
  async changeIf({ key, predicate, matched = [], unmatched = [] }: ConditionalChange): Promise<boolean> {
    const [answer] = await this.#next().checkAndMutateRow(
      {
        ...this.#place,
        rowKey: bytes(key),
        predicateFilter: predicate,
        trueMutations: matched,
        falseMutations: unmatched,
      },
      once(this.#deadlines.commit),
    );
    return answer.predicateMatched === true;
  }

  /** The service's clock, milliseconds: the time it gives to a cell that it writes. */
  async serviceTime(key: string, column: string): Promise<number> {
    const rules = [{ familyName: family, columnQualifier: bytes(column), appendValue: Buffer.alloc(0) }];
    const [{ row }] = await this.#next().readModifyWriteRow(
      { ...this.#place, rowKey: bytes(key), rules },
      once(this.#deadlines.commit),
    );
    const micros = row?.families?.[0]?.columns?.[0]?.cells?.[0]?.timestampMicros ?? 0;
    return Math.floor(Number(typeof micros === "object" ? micros.toNumber() : micros) / 1000);
  }

  #next(): DataClient {
    this.#turn = (this.#turn + 1) % this.#clients.length;
    const client = this.#clients[this.#turn];
    if (client === undefined) throw new RangeError("a table needs a connection");
    return client;
  }
}

/** Tries again what cannot do harm twice, while the failure looks like one that passes. */
async function repeating<T>(call: () => Promise<T>): Promise<T> {
  for (const pauseMs of repeatAfterMs) {
    try {
      return await call();
    } catch (error) {
      if (isDefinite(error) || !isPassing(error)) throw error;
    }
    await pause(pauseMs);
  }
  return call();
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

const rowRange = ({ start, end, afterStart = false }: KeyRange): Readonly<Record<string, Buffer>> => ({
  [afterStart ? "startKeyOpen" : "startKeyClosed"]: bytes(start),
  endKeyOpen: bytes(end),
});

/** Groups small enough for one call. */
function parts(changes: readonly RowChange[]): readonly (readonly RowChange[])[] {
  const found: RowChange[][] = [];
  let size = 0;
  for (const change of changes) {
    const added = change.mutations.reduce((sum, mutation) => sum + sizeOf(mutation), change.key.length);
    const part = found.at(-1);
    if (part === undefined || part.length >= bulk.rows || size + added > bulk.bytes) {
      found.push([change]);
      size = added;
    } else {
      part.push(change);
      size += added;
    }
  }
  return found;
}
