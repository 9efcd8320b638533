import { describe, expect, it } from "vitest";
import type { RowId } from "../../model/row.ts";
import type { Append } from "../store.ts";
import { commitGroups, inlineBodyBytes, mutationsOf, RowWrites, serviceLimits } from "./row-writes.ts";

const append = (row: string, expect_: number, fields: Partial<Append> = {}): Append => ({
  row: row as RowId,
  expect: expect_,
  commitId: `commit-${row}-${expect_}`,
  head: new Uint8Array([1]),
  entries: [],
  index: { add: [], remove: [] },
  ...fields,
});

const writes = (row: string, expect_: number, fields: Partial<Append> = {}): RowWrites =>
  new RowWrites(append(row, expect_, fields), serviceLimits);

/** `insert tape_rows x2`, and so on. */
const shortly = (all: readonly RowWrites[]): readonly string[] =>
  mutationsOf(all).flatMap((mutation) =>
    Object.entries(mutation).map(([kind, change]: [string, { table: string; values?: readonly unknown[] }]) =>
      [kind, change.table, ...(change.values === undefined ? [] : [`x${change.values.length}`])].join(" "),
    ),
  );

const entry = (seq: number, body?: Uint8Array): Append["entries"][number] => ({
  seq,
  kind: "k/k",
  ref: "r",
  dims: "",
  meta: "{}",
  at: 1,
  trace: "",
  body,
});

describe("the changes of a commit", () => {
  it("insert a new row, and move an old one on from its version", () => {
    expect(shortly([writes("a", 0)])).toEqual([
      "insert tape_rows x1",
      "insert tape_versions x1",
      "insert tape_entries x1",
    ]);
    expect(shortly([writes("a", 3)])).toEqual([
      "update tape_versions x1",
      "update tape_rows x1",
      "delete tape_versions",
      "insert tape_versions x1",
      "update tape_entries x1",
    ]);
  });

  it("of several rows are made together, entries before what is trimmed and with a row of the feed each", () => {
    const batch = [
      writes("a", 0, { entries: [entry(1), entry(2, new Uint8Array(inlineBodyBytes + 1))] }),
      writes("b", 0, { entries: [entry(1)], trimBelow: 2 }),
    ];
    expect(shortly(batch)).toEqual([
      "insert tape_rows x2",
      "insert tape_versions x2",
      "insert tape_entries x2",
      "insert tape_entries x3",
      "insert tape_bodies x1",
      "delete tape_entries",
      "insert tape_feed x2",
    ]);
  });

  it("keep a key that is both removed and added", () => {
    const [kept, gone] = ["kept", "gone"].map((key) => ({ index: "i", key }));
    if (kept === undefined || gone === undefined) throw new Error("two keys");
    const changes = mutationsOf([writes("a", 1, { index: { add: [kept], remove: [kept, gone] } })]);
    const deleted = changes.flatMap((change) => ("delete" in change ? [change.delete] : []));
    const keys = deleted.find(({ table }) => table === "tape_index")?.keySet.keys ?? [];
    expect(keys.map(({ values }) => values[2]?.stringValue)).toEqual(["gone"]);
  });
});

describe("groups of one commit each", () => {
  it("are as large as the limits allow, in order", () => {
    const batch = ["a", "b", "c", "d", "e"].map((row) => writes(row, 0));
    const one = batch[0]?.mutations ?? 0;
    const rowsOf = (groups: ReturnType<typeof commitGroups>): readonly string[] =>
      groups.map((group) => group.map(({ append: { row } }) => row).join(""));
    expect(rowsOf(commitGroups(batch, serviceLimits))).toEqual(["abcde"]);
    expect(rowsOf(commitGroups(batch, { ...serviceLimits, mutations: 2 * one }))).toEqual(["ab", "cd", "e"]);
    const bytes = (batch[0]?.bytes ?? 0) + (batch[1]?.bytes ?? 0);
    expect(rowsOf(commitGroups(batch, { ...serviceLimits, commitBytes: bytes }))).toEqual(["ab", "cd", "e"]);
    expect(commitGroups([], serviceLimits)).toEqual([]);
  });

  it("count a column for each value, as the service does", () => {
    // rows 5, versions 4, head 12, an entry 13, a key of an index 4, the feed 5.
    const { mutations } = writes("a", 0, {
      entries: [entry(1)],
      index: { add: [{ index: "i", key: "k" }], remove: [] },
    });
    expect(mutations).toBe(5 + 4 + 12 + 13 + 4 + 5);
  });
});
