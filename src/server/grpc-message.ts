import { TapeError } from "../errors.ts";

const prefixBytes = 5;

/** A message with its length before it, as gRPC sends it. */
export function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(prefixBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, prefixBytes);
  return frame;
}

/** Collects the body of a request that holds exactly one message, not compressed. */
export class SingleMessage {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /**
   * Takes the next bytes; gives the length that the message announces, as soon as it is known. Throws ARGUMENT_INVALID at
   * the first byte too many: the length was found small enough, and what comes behind it would be kept without a limit.
   */
  push(chunk: Buffer): number | undefined {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < prefixBytes) return undefined;
    // Nearly always there is one chunk; otherwise only the few bytes that carry the prefix are joined.
    const first = this.#chunks[0] ?? chunk;
    const start = first.length >= prefixBytes ? first : Buffer.concat(this.#chunks, prefixBytes);
    const length = start.readUInt32BE(1);
    if (this.#bytes > prefixBytes + length) throw this.#unlike(length);
    return length;
  }

  /** The message. Throws ARGUMENT_INVALID when the body is anything else than one whole message. */
  finish(): Uint8Array {
    const [first, ...more] = this.#chunks;
    const body = first !== undefined && more.length === 0 ? first : Buffer.concat(this.#chunks, this.#bytes);
    if (body.length < prefixBytes) throw malformed("the body holds no message");
    if (body[0] !== 0) throw malformed("the message is compressed, but no grpc-encoding says how");
    const length = body.readUInt32BE(1);
    if (body.length !== prefixBytes + length) throw this.#unlike(length);
    return body.subarray(prefixBytes);
  }

  #unlike(length: number): TapeError {
    return malformed(`the body holds ${this.#bytes - prefixBytes} bytes where one message of ${length} was announced`);
  }
}

// Source: the gRPC protocol's `Timeout`: at most eight digits and a unit.
const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** The longest time that timers take, in milliseconds. A caller that waits for 24 days waits for ever. */
export const longestTimeoutMs: number = 2 ** 31 - 1;

/** The milliseconds of a `grpc-timeout` header; `undefined` when they are endless, `null` when there are none to read. */
export function parseGrpcTimeout(header: string): number | undefined | null {
  const [, digits = "", unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  const ms = Number(digits) * (unitMs[unit] ?? Number.NaN);
  if (Number.isNaN(ms)) return null;
  return ms > longestTimeoutMs ? undefined : ms;
}

function malformed(fault: string): TapeError {
  return new TapeError("ARGUMENT_INVALID", `malformed gRPC request: ${fault}`);
}
