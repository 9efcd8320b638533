import type { TapeError } from "../errors.ts";

/** Headers of a call; lower-case names. */
export type Metadata = Readonly<Record<string, string>>;

/** Headers of a reply; lower-case names. */
export type ReplyMetadata = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One attempt of one RPC, ready for the wire. */
export interface WireCall {
  /** `/tape.v1.Tape/<Rpc>`. */
  readonly path: string;
  /** Beside what the protocol itself needs. */
  readonly metadata: Metadata;
  readonly message: Uint8Array;
  /** Told to the server as `grpc-timeout`; the caller enforces it through `signal`. Milliseconds, at least 1. */
  readonly timeoutMs: number | undefined;
  /** Ends the attempt at once, here and on the server. Its reason is the error that the call ends with. */
  readonly signal: AbortSignal;
  /** Of a stream: called when a server has taken the connection or answered. */
  readonly onReached?: () => void;
}

/** The answer of a unary RPC, or one message of a stream. */
export interface WireReply {
  readonly metadata: ReplyMetadata;
  readonly message: Uint8Array;
}

/**
 * What the client asks of a network, so that the same client runs on Node and in browsers. A transport neither retries
 * nor keeps time. Everything rejects with TapeError only: the server's own answer, SERVER_UNAVAILABLE when there was
 * none, the reason of the signal when that fired.
 */
export interface Transport {
  unary(call: WireCall): Promise<WireReply>;
  /** Every reply comes with the response headers. Leaving the iteration cancels the RPC. */
  stream(call: WireCall): AsyncIterable<WireReply>;
  /** Ends everything under way with SERVER_UNAVAILABLE and lets go of the network. Idempotent. */
  close(): Promise<void>;
}

/** The error that a call ends with whose signal has fired. */
export function endOf(signal: AbortSignal): TapeError {
  // Signals of calls are made by `CallScope`, which takes nothing else as a reason.
  return signal.reason as TapeError;
}
