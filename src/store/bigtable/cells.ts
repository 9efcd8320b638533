import type { Filter, Mutation } from "./driver.ts";
import { family } from "./keys.ts";

/** Cells of rows have one time, so that the last commit overwrites whatever the clocks say. */
const rowCellMicros = 0;
/** The service keeps times in whole milliseconds. */
const microsPerVersion = 1000;

/** Sets a cell of a row. */
export const setCell = (column: string, value: Uint8Array | string): Mutation => ({
  setCell: {
    familyName: family,
    columnQualifier: Buffer.from(column, "latin1"),
    timestampMicros: rowCellMicros,
    value: typeof value === "string" ? Buffer.from(value, "utf8") : value,
  },
});

/** Sets a cell whose time is a version: what {@link deleteUpTo} an older version leaves alone. */
export const setCellAt = (column: string, version: number): Mutation => ({
  setCell: {
    familyName: family,
    columnQualifier: Buffer.from(column, "latin1"),
    timestampMicros: version * microsPerVersion,
    value: Buffer.alloc(0),
  },
});

/** Deletes a column. */
export const deleteColumn = (column: string): Mutation => ({
  deleteFromColumn: { familyName: family, columnQualifier: Buffer.from(column, "latin1") },
});

/** Deletes the cells of a column that were set for this version or an older one. */
export const deleteUpTo = (column: string, version: number): Mutation => ({
  deleteFromColumn: {
    familyName: family,
    columnQualifier: Buffer.from(column, "latin1"),
    timeRange: { endTimestampMicros: (version + 1) * microsPerVersion },
  },
});

/** Deletes every cell of a row; what the same call sets afterwards stays. */
export const deleteFamily: Mutation = { deleteFromFamily: { familyName: family } };
export const deleteRow: Mutation = { deleteFromRow: {} };

/** Rough size of a mutation on the wire, bytes. */
export const sizeOf = (mutation: Mutation): number =>
  60 + ("setCell" in mutation ? mutation.setCell.value.byteLength : 0);

const onlyFamily: Filter = { familyNameRegexFilter: family };
/** The service removes older cells when it likes. */
const newestCell: Filter = { cellsPerColumnLimitFilter: 1 };

/** One column. */
export const column = (name: string): Filter => columns(name, name);

/** Columns between two names, both inclusive. */
export const columns = (first: string, last: string): Filter => ({
  columnRangeFilter: {
    familyName: family,
    startQualifierClosed: Buffer.from(first, "latin1"),
    endQualifierClosed: Buffer.from(last, "latin1"),
  },
});

/** Each cell that passes one of the filters. */
export const anyOf = (filters: readonly Filter[]): Filter =>
  filters.length === 1 ? (filters[0] ?? onlyFamily) : { interleave: { filters } };

/** Each cell that passes all filters, one after the other. */
export const chain = (...filters: readonly Filter[]): Filter => ({ chain: { filters } });

/** The newest cell of the columns that pass. */
export const newest = (filter: Filter = onlyFamily): Filter => chain(filter, newestCell);

/** The first cells of a row that pass. */
export const first = (count: number): Filter => ({ cellsPerRowLimitFilter: count });

/** Columns without their values. */
export const withoutValues: Filter = { stripValueTransformer: true };

/** The column's newest cell has just this value. */
export const hasValue = (name: string, value: string): Filter => {
  const bytes = Buffer.from(value, "utf8");
  return chain(column(name), newestCell, { valueRangeFilter: { startValueClosed: bytes, endValueClosed: bytes } });
};
