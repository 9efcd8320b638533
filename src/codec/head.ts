import { TapeError } from "../errors.ts";

/*
 * The head of a row: one JSON object in UTF-8 that starts with its format number, so that people and SQL views can
 * read it. Each kind of row numbers its formats by itself; old formats keep decoding.
 */

const decoder = new TextDecoder("utf-8", { fatal: true });

/** A head's JSON text as bytes, from a pool as in `body.ts`. */
export const encodeHead = (json: string): Uint8Array => Buffer.from(json);

/**
 * The head of a row that is there though nothing has ever happened to it: it was made so that an append under way could no
 * longer make it. Whoever loads it finds a row that does not exist.
 */
export const emptyHead: Uint8Array = encodeHead('{"format":1,"kind":"none"}');

/** Whether this is {@link emptyHead}. */
export const isEmptyHead = (head: Uint8Array): boolean =>
  head.byteLength === emptyHead.byteLength && head.every((byte, i) => byte === emptyHead[i]);

/**
 * Decodes a head of one of these kinds. Errors: STORE_CORRUPT, FORMAT_NEWER; both name the row.
 * The result is trusted to have the shape of its format: a head is only ever written by Tape itself.
 */
export function decodeHead<H extends { readonly format: number; readonly kind: string }>(
  head: Uint8Array,
  newest: number,
  row: string,
  kinds: readonly H["kind"][],
): H {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(head));
  } catch (cause) {
    throw new TapeError(
      "STORE_CORRUPT",
      `head of row ${row} cannot be read: it is damaged; restore the store from a backup`,
      { cause },
    );
  }
  const found = value as Partial<H> | null;
  if (typeof found !== "object" || found === null || typeof found.format !== "number") {
    throw new TapeError("STORE_CORRUPT", `head of row ${row} is not one of Tape's; restore the store from a backup`);
  }
  if (found.format > newest) {
    throw new TapeError(
      "FORMAT_NEWER",
      `head of row ${row} has format ${found.format}, this version reads ${newest}; upgrade Tape`,
    );
  }
  if (!kinds.includes(found.kind as H["kind"]) || !(found.format >= 1)) {
    throw new TapeError(
      "STORE_CORRUPT",
      `head of row ${row} is not one of a ${kinds.join(" or ")}; restore the store from a backup`,
    );
  }
  return found as H;
}

/** What was read of a head, unless the name of a member is damaged: then one is missing, and no reader could say why. */
export function complete<T extends object>(read: T): T {
  if (Object.values(read).includes(undefined)) throw new RangeError("a member of the head is missing");
  return read;
}
