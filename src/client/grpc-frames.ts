import { TapeError } from "../errors.ts";

const prefixBytes = 5;
const compressedFlag = 0x01;
const trailersFlag = 0x80;
/** A reply of this size would be a defect of the server: its own limit is 16 MiB a message (R7). */
const maxFrameBytes = 256 * 1024 * 1024;

/** One length-prefixed frame of gRPC or gRPC-Web. */
export interface Frame {
  /** Whether it holds the trailers (gRPC-Web only) instead of a message. */
  readonly trailers: boolean;
  readonly data: Uint8Array;
}

/** Puts the prefix (flags, length) before a message. */
export function frameOf(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(prefixBytes + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, prefixBytes);
  return frame;
}

/** Cuts the bytes of a response body into frames, however the network has cut them. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** Nothing can be cut before this many bytes are there, so a large message is joined once. */
  #needed = prefixBytes;

  /** Takes the next bytes and gives the frames that are complete now; they share memory with the chunks. */
  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return [];
    const bytes = this.#chunks.length === 1 ? chunk : concat(this.#chunks, this.#bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const frames: Frame[] = [];
    let at = 0;
    this.#needed = prefixBytes;
    while (bytes.length - at >= prefixBytes) {
      this.#needed = prefixBytes + checkLength(view.getUint32(at + 1));
      if (bytes.length - at < this.#needed) break;
      const flags = view.getUint8(at);
      if ((flags & compressedFlag) !== 0) throw new TapeError("INTERNAL", "The server compressed a message unasked.");
      frames.push({
        trailers: (flags & trailersFlag) !== 0,
        data: bytes.subarray(at + prefixBytes, at + this.#needed),
      });
      at += this.#needed;
      this.#needed = prefixBytes;
    }
    this.#bytes = bytes.length - at;
    this.#chunks = this.#bytes === 0 ? [] : [bytes.subarray(at)];
    return frames;
  }
}

function checkLength(length: number): number {
  if (length <= maxFrameBytes) return length;
  throw new TapeError(
    "SIZE_LIMIT",
    `The server announced a message of ${length} bytes; at most ${maxFrameBytes} are read.`,
  );
}

function concat(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
