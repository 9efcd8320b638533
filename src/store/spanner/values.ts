import type { KeyRange, WireList, WireTimestamp, WireValue } from "./driver.ts";

/** What a column is given; a number stands for INT64. */
export type ColumnValue = string | number | Uint8Array | null;

/** Filled in by the service with the time of the commit. */
export const commitTime = "spanner.commit_timestamp()";

/** A value for the wire. */
export function wire(value: ColumnValue): WireValue {
  if (value === null) return { nullValue: "NULL_VALUE" };
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "number") return { stringValue: String(value) };
  return { stringValue: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64") };
}

/** Values of a row or of a key. */
export const wireList = (values: readonly ColumnValue[]): WireList => ({ values: values.map(wire) });

/** Bytes of a row on the wire, roughly. */
export const sizeOf = ({ values }: WireList): number =>
  values.reduce((sum, { stringValue }) => sum + (stringValue?.length ?? 0) + 4, 0);

/** All keys that begin like this. */
export function startingWith(...key: readonly ColumnValue[]): KeyRange {
  const list = wireList(key);
  return { startClosed: list, endClosed: list };
}

/** A row of an answer: values in the order of the columns that were asked for. */
export class ResultRow {
  readonly #values: readonly (string | null)[];

  constructor(values: readonly (string | null)[]) {
    this.#values = values;
  }

  isNull(column: number): boolean {
    return (this.#values[column] ?? null) === null;
  }

  text(column: number): string {
    return this.#values[column] ?? "";
  }

  number(column: number): number {
    return Number(this.text(column));
  }

  bytes(column: number): Uint8Array {
    const { buffer, byteOffset, byteLength } = Buffer.from(this.text(column), "base64");
    // The same bytes, not as a Buffer: that compares and prints as something else.
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
}

/** A moment of the service's clock. */
export interface Moment {
  /** Since 1970. */
  readonly seconds: number;
  readonly nanos: number;
}

/** The moment in an answer. */
export function momentOf({ seconds, nanos }: WireTimestamp): Moment {
  const whole = typeof seconds === "object" && seconds !== null ? seconds.toNumber() : Number(seconds ?? 0);
  return { seconds: whole, nanos: nanos ?? 0 };
}

/** The millisecond that a moment lies in, since 1970. */
export const msOf = ({ seconds, nanos }: Moment): number => seconds * 1000 + Math.floor(nanos / 1e6);

/** The beginning of a millisecond. */
export const momentAt = (ms: number): Moment => ({
  seconds: Math.floor(ms / 1000),
  nanos: (ms - Math.floor(ms / 1000) * 1000) * 1e6,
});

/** As a TIMESTAMP column takes it. */
export const timestampOf = ({ seconds, nanos }: Moment): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, -"000Z".length)}${String(nanos).padStart(9, "0")}Z`;

/** The millisecond of a TIMESTAMP column's value, whose fraction has as many digits as it needs. */
export function msOfTimestamp(text: string): number {
  const [whole = "", fraction = ""] = text.replace(/Z$/, "").split(".");
  return Date.parse(`${whole}Z`) + Number(fraction.slice(0, 3).padEnd(3, "0"));
}

/** A TIMESTAMP column's value with all nine digits of its fraction: texts sort as times do. */
export function sortableTimestamp(text: string): string {
  const [whole = "", fraction = ""] = text.replace(/Z$/, "").split(".");
  return `${whole}.${fraction.padEnd(9, "0")}`;
}
