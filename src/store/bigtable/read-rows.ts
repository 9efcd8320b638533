import type { CellChunk, PartStream } from "./driver.ts";

/** A row as it was read: cells by column, the newest of each. */
export interface BigtableRow {
  readonly key: string;
  readonly cells: ReadonlyMap<string, Buffer>;
}

/**
 * Puts the rows of a ReadRows answer together: a row comes in chunks, a large cell in several, and what is as in the chunk
 * before is left out. Source: `ReadRowsResponse` in google/bigtable/v2/bigtable.proto. Family and time of a cell do not
 * matter here: there is one family, and filters let one cell of a column through.
 */
export async function* rowsOf(
  stream: PartStream<{ readonly chunks?: readonly CellChunk[] | null }>,
): AsyncGenerator<BigtableRow> {
  let key = "";
  let column = "";
  let cells = new Map<string, Buffer>();
  let parts: Buffer[] = [];
  try {
    for await (const { chunks } of stream) {
      for (const chunk of chunks ?? []) {
        if (chunk.resetRow === true) {
          cells = new Map();
          parts = [];
          continue;
        }
        const named = bytesOf(chunk.rowKey);
        if (named.length > 0) key = named.toString("latin1");
        if (chunk.qualifier !== null && chunk.qualifier !== undefined) {
          column = bytesOf(chunk.qualifier.value).toString("latin1");
        }
        parts.push(bytesOf(chunk.value));
        if ((chunk.valueSize ?? 0) === 0) {
          const value = parts.length === 1 ? parts[0] : undefined;
          cells.set(column, value ?? Buffer.concat(parts));
          parts = [];
        }
        if (chunk.commitRow === true) {
          yield { key, cells };
          cells = new Map();
        }
      }
    }
  } finally {
    // Whoever leaves early must not leave the service sending.
    stream.destroy();
  }
}

const none = Buffer.alloc(0);

function bytesOf(value: Uint8Array | string | null | undefined): Buffer {
  if (value === null || value === undefined) return none;
  if (typeof value === "string") return Buffer.from(value, "base64");
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}
