import { TapeError } from "../errors.ts";

/*
 * The head of a row: one JSON object in UTF-8 that starts with its format number, so that people and SQL views can
 * read it. Each kind of row numbers its formats by itself; old formats keep decoding.
 */

const decoder = new TextDecoder("utf-8", { fatal: true });

/** A head's JSON text as bytes, from a pool as in `body.ts`. */
export const encodeHead = (json: string): Uint8Array => Buffer.from(json);

/**
 * Decodes a head. Errors: STORE_CORRUPT, FORMAT_NEWER; both name the row.
 * The result is trusted to have the shape of its format: a head is only ever written by Tape itself.
 */
export function decodeHead<H extends { readonly format: number }>(head: Uint8Array, newest: number, row: string): H {
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
  return found as H;
}
