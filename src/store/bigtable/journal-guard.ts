import { TapeError } from "../../errors.ts";
import { bigtableFailure, isNotFound } from "./bigtable-failure.ts";
import { readJournal } from "./journal.ts";
import type { Keys } from "./keys.ts";
import type { Table } from "./table.ts";

/**
 * Remembers which journal was opened. After a connection was lost, or a row is found older than it was, what answers may
 * be another journal: an emulator that began anew, a table made again by somebody else. Nothing is read or written then
 * before its identity is known to be the same.
 */
export class JournalGuard {
  readonly #table: Table;
  readonly #keys: Keys;
  readonly #place: string;
  readonly #id: string;
  #isDoubted = false;
  #checking: Promise<void> | undefined;

  constructor(table: Table, keys: Keys, place: string, id: string) {
    this.#table = table;
    this.#keys = keys;
    this.#place = place;
    this.#id = id;
  }

  /** What answers from now on may not be what it was. */
  doubt(): void {
    this.#isDoubted = true;
  }

  /** Errors: STORE_NOT_USABLE when this is not the journal that was opened, STORE_UNAVAILABLE when nobody answers. */
  async assure(): Promise<void> {
    if (!this.#isDoubted) return;
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    await this.#checking;
  }

  async #check(): Promise<void> {
    this.#isDoubted = false;
    try {
      const found = await readJournal(this.#table, this.#keys, this.#place);
      if (found?.id !== this.#id) throw lostJournal(this.#place, this.#id, found?.id);
    } catch (error) {
      this.#isDoubted = true;
      throw isNotFound(error)
        ? lostJournal(this.#place, this.#id, undefined)
        : bigtableFailure(error, `looking at ${this.#place}`);
    }
  }
}

/** The refusal to go on with a journal that is not the one it should be. */
export const lostJournal = (place: string, wanted: string, found: string | undefined): TapeError =>
  new TapeError(
    "STORE_NOT_USABLE",
    `journal ${wanted} is gone: ${place} holds ${found === undefined ? "none" : `another one, ${found}`}. Nothing is written over it: restore the table from a backup, or, if the loss is meant, start the server anew${found === undefined ? "" : " without ?journal="}`,
  );
