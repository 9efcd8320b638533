import { setImmediate as endOfTurn } from "node:timers/promises";
import type { RowId } from "../../model/row.ts";
import type { Filter } from "./driver.ts";
import type { Keys } from "./keys.ts";
import type { BigtableRow } from "./read-rows.ts";
import type { Table } from "./table.ts";

/** Rows that are read in one call. */
interface Batch {
  readonly rows: Set<RowId>;
  /** By row key. */
  readonly found: Promise<ReadonlyMap<string, BigtableRow>>;
}

/** What is read of each row, and how many rows one call takes. */
export interface SharedReadsOptions {
  readonly filter: Filter;
  readonly mostRows: number;
}

/**
 * Reads the same of many rows. One commit makes many look at once whether their rows are as they were: every shard of
 * every reaction at its own, a list at all that it names. Those that are asked for in one turn go in one call.
 */
export class SharedReads {
  readonly #table: Table;
  readonly #keys: Keys;
  readonly #options: SharedReadsOptions;
  /** Not sent yet, and with room. */
  #next: Batch | undefined;

  constructor(table: Table, keys: Keys, options: SharedReadsOptions) {
    this.#table = table;
    this.#keys = keys;
    this.#options = options;
  }

  /** A row as of a moment after the question; undefined where there is nothing of it. */
  async read(row: RowId): Promise<BigtableRow | undefined> {
    const batch = (this.#next ??= this.#begin());
    batch.rows.add(row);
    if (batch.rows.size >= this.#options.mostRows) this.#next = undefined;
    return (await batch.found).get(this.#keys.row(row));
  }

  #begin(): Batch {
    const rows = new Set<RowId>();
    return { rows, found: this.#send(rows) };
  }

  async #send(rows: Set<RowId>): Promise<ReadonlyMap<string, BigtableRow>> {
    await endOfTurn();
    if (this.#next?.rows === rows) this.#next = undefined;
    const keys = Array.from(rows, (row) => this.#keys.row(row));
    return new Map((await this.#table.read({ keys, filter: this.#options.filter })).map((row) => [row.key, row]));
  }
}
