/** Name of a row: printable ASCII without spaces, at most 1,024 bytes; made by `codec`, opaque to a store. */
export type RowId = string & { readonly "~rowId": never };

/** Number of an entry within its row, from 1, contiguous. */
export type Seq = number;

/** A key in one of the ordered index spaces, pointing at the row that wrote it. */
export interface IndexKey {
  /** The key space; printable ASCII. */
  readonly index: string;
  /** Ordered by bytes; printable ASCII, at most 1,024 bytes. */
  readonly key: string;
}
