import type { RowId, Seq } from "../../model/row.ts";
import type { Entry, StoredEntry } from "../store.ts";
import { corruptRow } from "../google/corrupt-row.ts";
import { newerFormat } from "./row-mark.ts";

/** Where an entry's body is. */
export interface BodyPlace {
  readonly bytes: number;
  /** SHA-256, where the body has a row of its own. */
  readonly apart?: string;
}

/** What is kept of an entry, besides its body. */
export interface EntryCell {
  readonly entry: Omit<StoredEntry, "body"> & { readonly commitId: string };
  readonly body: BodyPlace | undefined;
  /** The time of the feed key that its commit was announced under. */
  readonly feedMs: number;
}

const format = 1;

interface Header {
  readonly format: number;
  readonly kind: string;
  readonly ref: string;
  readonly dims: string;
  readonly at: number;
  readonly trace: string;
  readonly commitId: string;
  readonly feedMs: number;
  readonly body?: BodyPlace;
}

/** The cell's text: a line of JSON, then `meta` as it was given. */
export function encodeEntry(entry: Entry, commitId: string, feedMs: number, body: BodyPlace | undefined): string {
  const { kind, ref, dims, at, trace, meta } = entry;
  const header: Header = {
    format,
    kind,
    ref,
    dims,
    at,
    trace,
    commitId,
    feedMs,
    ...(body === undefined ? {} : { body }),
  };
  // JSON holds no raw line break, so the first one ends the header.
  return `${JSON.stringify(header)}\n${meta}`;
}

/** Reads a cell. Errors: STORE_CORRUPT, FORMAT_NEWER. */
export function decodeEntry(cell: Buffer, row: RowId, seq: Seq): EntryCell {
  const at = cell.indexOf(0x0a);
  const header = headerOf(cell.toString("utf8", 0, Math.max(at, 0)));
  if (header === undefined) throw corruptRow(row, `its entry ${seq} is damaged`);
  if (header.format !== format) throw newerFormat(row);
  const { kind, ref, dims, trace, commitId, feedMs, body } = header;
  return {
    entry: { seq, kind, ref, dims, at: header.at, trace, commitId, meta: cell.toString("utf8", at + 1), position: 0 },
    body,
    feedMs,
  };
}

function headerOf(text: string): Header | undefined {
  try {
    const header: unknown = JSON.parse(text);
    return isHeader(header) ? header : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== "object" || value === null || !("format" in value)) return false;
  if (value.format !== format) return typeof value.format === "number";
  const texts = ["kind", "ref", "dims", "trace", "commitId"] as const;
  const fields = value as Partial<Record<keyof Header, unknown>>;
  return (
    texts.every((name) => typeof fields[name] === "string") &&
    Number.isFinite(fields.at) &&
    Number.isSafeInteger(fields.feedMs) &&
    (fields.body === undefined || isBodyPlace(fields.body))
  );
}

function isBodyPlace(value: unknown): value is BodyPlace {
  if (typeof value !== "object" || value === null || !("bytes" in value)) return false;
  return Number.isSafeInteger(value.bytes) && (!("apart" in value) || typeof value.apart === "string");
}
