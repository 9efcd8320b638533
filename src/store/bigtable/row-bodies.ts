import { createHash } from "node:crypto";
import type { RowId, Seq } from "../../model/row.ts";
import type { Entry } from "../store.ts";
import { newest, setCell } from "./cells.ts";
import type { Mutation } from "./driver.ts";
import type { BodyPlace } from "./entry-cell.ts";
import { bodyColumn, type Keys } from "./keys.ts";
import { corruptRow } from "../google/corrupt-row.ts";
import type { RowChange, Table } from "./table.ts";

/** Bodies up to this many bytes live in their row; larger ones have rows of their own, which cost no round trip more to
 * write (they go with the index keys) and one more to read. A row is for 200 MiB. */
export const inlineBodyBytes: number = 16 * 1024;
/** The service recommends 10 MB a cell at most. */
const cellBytes = 4 * 1024 * 1024;

const partColumn = (part: number): string => `p${String(part).padStart(4, "0")}`;

/** How a body is kept: in the row itself, or apart. */
export interface KeptBody {
  readonly place: BodyPlace | undefined;
  /** In the commit of the row. */
  readonly inline: readonly Mutation[];
  /** Before it. An orphan does no harm: it is named by its content. */
  readonly apart: RowChange | undefined;
}

/** How the body of an entry is to be kept. */
export function keepBody(keys: Keys, row: RowId, { seq, body }: Entry): KeptBody {
  if (body === undefined) return { place: undefined, inline: [], apart: undefined };
  const bytes = body.byteLength;
  if (bytes <= inlineBodyBytes) {
    return { place: { bytes }, inline: [setCell(bodyColumn(seq), body)], apart: undefined };
  }
  const hash = createHash("sha256").update(body).digest("base64url");
  const mutations: Mutation[] = [];
  for (let at = 0; at < bytes; at += cellBytes) {
    mutations.push(setCell(partColumn(mutations.length), body.subarray(at, at + cellBytes)));
  }
  return { place: { bytes, apart: hash }, inline: [], apart: { key: keys.apart(row, seq, hash), mutations } };
}

/** An entry whose body is wanted. */
export interface WantedBody {
  readonly seq: Seq;
  readonly hash: string;
  readonly bytes: number;
}

/** Reads bodies that are kept apart; those that are not there (any more) are left out. Errors: STORE_CORRUPT. */
export async function readApart(
  table: Table,
  keys: Keys,
  row: RowId,
  wanted: readonly WantedBody[],
): Promise<ReadonlyMap<Seq, Uint8Array>> {
  const bySeq = new Map(wanted.map((body) => [keys.apart(row, body.seq, body.hash), body]));
  const found = await table.read({ keys: [...bySeq.keys()], filter: newest() });
  const bodies = new Map<Seq, Uint8Array>();
  for (const { key, cells } of found) {
    const body = bySeq.get(key);
    if (body === undefined) continue;
    const bytes = Buffer.concat([...cells].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, cell]) => cell));
    if (bytes.length !== body.bytes) throw corruptRow(row, `the body of its entry ${body.seq} has another length`);
    bodies.set(body.seq, bytes);
  }
  return bodies;
}
