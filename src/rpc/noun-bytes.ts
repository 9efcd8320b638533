import { BinaryReader } from "@bufbuild/protobuf/wire";

// A byte order mark is a character like any other: identifiers and payloads return byte for byte.
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const utf8Encoder = new TextEncoder();

/** Reads the binary format: 64-bit integers as numbers, without a bigint, and no text that is not UTF-8. */
export class NounReader extends BinaryReader {
  constructor(bytes: Uint8Array) {
    super(bytes, (text) => utf8Decoder.decode(text));
  }

  /** A 64-bit integer; one beyond 2^53 comes out inexact and beyond 2^53. */
  integer(): number {
    const [low, high] = this.varint64();
    return high * 0x1_0000_0000 + (low >>> 0);
  }

  /** The length of a length-delimited value; the position where it ends. */
  end(): number {
    const end = this.uint32() + this.pos;
    if (end > this.len) throw new RangeError("premature end");
    return end;
  }
}

/** Allocating costs more than encoding (2.5 of 4.5 µs for a reply), so that many results share one piece of memory. */
const slabBytes = 16 * 1024;

/**
 * Writes the binary format, one result after the other. The library's `BinaryWriter` makes a chunk of every string: an
 * EffectRecord of 0.7 kB took it 6.6 µs, this takes 1.3 µs (Node 20), and a server encodes one for every reply.
 */
export class NounWriter {
  #slab = new Uint8Array(0);
  /** Where the present result starts. */
  #start = 0;
  #position = 0;

  /** Starts a result, and drops one that was not finished. */
  restart(): this {
    this.#position = this.#start;
    return this;
  }

  /** What was written since {@link restart}: a view on memory that other results share, so never to be transferred. */
  finish(): Uint8Array {
    const result = this.#slab.subarray(this.#start, this.#position);
    this.#start = this.#position;
    if (this.#slab.length > slabBytes) this.#release();
    return result;
  }

  /** A varint of a safe integer: int32, int64, bool, enum, tag or length. A negative one takes ten bytes. */
  integer(value: number): this {
    this.#reserve(10);
    let low = value >>> 0;
    let high = value === low ? 0 : Math.floor(value / 0x1_0000_0000) >>> 0;
    while (high !== 0 || low > 0x7f) {
      this.#slab[this.#position++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#slab[this.#position++] = low;
    return this;
  }

  /** Eight bytes. */
  double(value: number): this {
    this.#reserve(8);
    new DataView(this.#slab.buffer).setFloat64(this.#position, value, true);
    this.#position += 8;
    return this;
  }

  /** UTF-8 behind its length. A lone surrogate becomes U+FFFD. */
  text(value: string): this {
    if (value.length > slabBytes / 4) return this.#raw(utf8Encoder.encode(value));
    const begun = this.begin();
    this.#reserve(value.length * 3);
    this.#position += utf8Encoder.encodeInto(value, this.#slab.subarray(this.#position)).written;
    return this.end(begun);
  }

  /** Opens a length-delimited value and gives what {@link end} needs to close it. */
  begin(): number {
    this.#reserve(1);
    return this.#position++ - this.#start;
  }

  /** Closes a length-delimited value: one byte was kept for its length, a longer length moves what was written. */
  end(begun: number): this {
    const lengthAt = this.#start + begun;
    const length = this.#position - lengthAt - 1;
    if (length <= 0x7f) {
      this.#slab[lengthAt] = length;
      return this;
    }
    const more = Math.ceil((32 - Math.clz32(length)) / 7) - 1;
    this.#reserve(more + 10);
    const from = this.#start + begun + 1;
    this.#slab.copyWithin(from + more, from, from + length);
    this.#position = from - 1;
    this.integer(length);
    this.#position += length;
    return this;
  }

  #raw(bytes: Uint8Array): this {
    this.integer(bytes.length);
    this.#reserve(bytes.length);
    this.#slab.set(bytes, this.#position);
    this.#position += bytes.length;
    return this;
  }

  /** Large results do not stay in memory for the next one. */
  #release(): void {
    this.#slab = new Uint8Array(0);
    this.#start = 0;
    this.#position = 0;
  }

  #reserve(length: number): void {
    if (this.#position + length <= this.#slab.length) return;
    const written = this.#slab.subarray(this.#start, this.#position);
    this.#slab = new Uint8Array(Math.max(slabBytes, written.length * 2 + length));
    this.#slab.set(written);
    this.#start = 0;
    this.#position = written.length;
  }
}
