import type { RowId } from "../../src/model/row.ts";

/** What a column holds. Integers are bigints: a damaged one may be none that JavaScript has. */
export type CellValue = string | bigint | Uint8Array | null;

/** A column of a line that a store keeps about a row. */
export interface Cell {
  /** `table.column`. */
  readonly column: string;
  /** Of the entry that the line is of; 0: of none. */
  readonly seq: number;
  readonly value: CellValue;
  /** Which line it is, for the hand that gave it. */
  readonly line: unknown;
}

/** Reaches into a store's tables behind its back, by the means that its database has. */
export interface DamageHand {
  /** Its tables. */
  readonly tables: readonly string[];
  /** Every column of every line that a table has about a row. */
  readonly cells: (row: RowId, table: string) => Promise<readonly Cell[]>;
  /** Puts a value in a cell; gives the cell as it is then. Rejects where the database does not take it. */
  readonly write: (cell: Cell, value: CellValue) => Promise<Cell>;
  readonly close: () => Promise<void>;
}

/** How what a column holds is damaged. */
export const ways = ["cut", "flip", "foreign", "empty", "null", "zero", "negative", "past", "far", "beyond"] as const;
export type Way = (typeof ways)[number];

/** Beyond what a number of JavaScript can say. */
const beyond = 2n ** 62n;

const integers: Readonly<Partial<Record<Way, (value: bigint) => bigint | null>>> = {
  flip: (value) => value ^ 2n,
  null: () => null,
  zero: () => 0n,
  negative: (value) => -1n - value,
  past: () => -beyond,
  // As a time some hundred thousand years ahead.
  far: () => 2n ** 52n + 1n,
  beyond: () => beyond,
};

const texts: Readonly<Partial<Record<Way, (value: Buffer) => Buffer | null>>> = {
  cut: (value) => value.subarray(0, Math.floor(value.length / 2)),
  // A bit that leaves ASCII what it is.
  flip: (value) => Buffer.from(value.map((byte, i) => (i === Math.floor(value.length / 2) ? byte ^ 1 : byte))),
  foreign: () => Buffer.from("17"),
  empty: () => Buffer.alloc(0),
  null: () => null,
};

const isTime = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const times: Readonly<Partial<Record<Way, string>>> = { past: "1960-01-01T00:00:00Z", far: "9999-01-01T00:00:00Z" };

/** What stands there after that; `undefined`: such a value cannot be damaged so. */
export function damagedValue(value: CellValue, way: Way): CellValue | undefined {
  if (value === null) return undefined;
  if (typeof value === "bigint") return integers[way]?.(value);
  if (typeof value === "string" && isTime.test(value) && times[way] !== undefined) return times[way];
  const changed = texts[way]?.(Buffer.from(value));
  if (changed === undefined || changed === null) return changed;
  return typeof value === "string" ? changed.toString("utf8") : new Uint8Array(changed);
}
