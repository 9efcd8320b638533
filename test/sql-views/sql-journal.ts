import { createStore } from "../../src/store/open-store.ts";
import { appendTo, bytes, commit } from "../../src/testing/test-store/material.ts";

/** A line of a result. Numbers, JSON and times as JavaScript has them, whatever the engine calls them. */
export type Line = Readonly<Record<string, unknown>>;

/** A journal that can be asked in SQL. */
export interface SqlJournal {
  /** A store URL. */
  readonly url: string;
  readonly engine: "SQLite" | "PostgreSQL";
  query(sql: string): Promise<readonly Line[]>;
  /** Names of the columns, in order. */
  columns(view: string): Promise<readonly string[]>;
  /** Names of all views there are. */
  views(): Promise<readonly string[]>;
  /** Removes it. */
  remove(): Promise<void>;
}

const heads = ["not JSON {", "", "[1]", '"run"', "null", '{"kind":"run"', '{"kind":"claim"}', "\u00fc \\u0000"];

/** Puts rows of every name into a journal whose heads are not those of Tape. */
export async function addStrangeRows(url: string): Promise<void> {
  const store = await createStore(url);
  await store.open();
  for (const name of ["strange", "~/run/strange", "~/session/strange", "~/value/strange"]) {
    await commit(store, ...heads.map((head, i) => appendTo(`${name}-${i}`, 0, { head: bytes(head) })));
  }
  await store.close();
}
