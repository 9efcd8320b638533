/*
 * PostgreSQL's binary format of one-dimensional arrays: dimensions, has-null flag, element type, length, lower bound, then
 * each element with its length (src/backend/utils/adt/arrayfuncs.c, array_recv). node-postgres sends a Buffer as it is,
 * so that payloads are neither escaped nor written as hex: an element takes a third (texts) to an eighth (bytes) of the time.
 */

const types = { bytea: 17, int8: 20, text: 25 } as const;
const headerBytes = 20;
const noElement = -1;
const twoTo32 = 2 ** 32;

function begin(type: number, count: number, contentBytes: number): Buffer {
  // No dimensions at all is how an empty array is written.
  const array = Buffer.allocUnsafe(count === 0 ? 12 : headerBytes + 4 * count + contentBytes);
  array.writeInt32BE(count === 0 ? 0 : 1, 0);
  array.writeInt32BE(0, 4);
  array.writeInt32BE(type, 8);
  if (count > 0) {
    array.writeInt32BE(count, 12);
    array.writeInt32BE(1, 16);
  }
  return array;
}

/** `bigint[]` of safe integers. */
export function bigintArray(values: readonly number[]): Buffer {
  const array = begin(types.int8, values.length, 8 * values.length);
  let end = headerBytes;
  for (const value of values) {
    end = array.writeInt32BE(8, end);
    end = array.writeInt32BE(Math.floor(value / twoTo32), end);
    end = array.writeUInt32BE(value >>> 0, end);
  }
  return array;
}

/** `text[]`. */
export function textArray(values: readonly string[]): Buffer {
  const lengths = values.map((value) => Buffer.byteLength(value));
  const array = begin(
    types.text,
    values.length,
    lengths.reduce((sum, length) => sum + length, 0),
  );
  let end = headerBytes;
  values.forEach((value, i) => {
    end = array.writeInt32BE(lengths[i] ?? 0, end);
    end += array.write(value, end);
  });
  return array;
}

/** `text[]` from UTF-8. */
export const utf8Array = (values: readonly Uint8Array[]): Buffer => bytesArray(types.text, values);

/** `bytea[]`; absent elements are null. */
export const byteaArray = (values: readonly (Uint8Array | undefined)[]): Buffer => bytesArray(types.bytea, values);

function bytesArray(type: number, values: readonly (Uint8Array | undefined)[]): Buffer {
  const array = begin(
    type,
    values.length,
    values.reduce((sum, value) => sum + (value?.length ?? 0), 0),
  );
  let end = headerBytes;
  for (const value of values) {
    end = array.writeInt32BE(value?.length ?? noElement, end);
    if (value === undefined) array.writeInt32BE(1, 4);
    else {
      array.set(value, end);
      end += value.length;
    }
  }
  return array;
}
