import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import { TapeError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import { ConnectionPool, type PoolOptions } from "./connection-pool.ts";
import { readAnswer } from "./grpc-answer.ts";
import { frameOf, FrameReader } from "./grpc-frames.ts";
import { grpcTimeout } from "./grpc-timeout.ts";
import { endOf, type Transport, type WireCall, type WireReply } from "./transport.ts";

/**
 * gRPC on `node:http2`, by hand. General gRPC libraries for Node are half of the cost of a call; this one has no
 * interceptors, no compression and no calls but unary and server-streaming. Node joins the frames of all calls of one
 * turn of the event loop in one write.
 */
export function http2Transport(options: PoolOptions): Transport {
  const pool = new ConnectionPool(options);
  return {
    async unary(call) {
      const connection = pool.take() ?? (await connectionFor(pool, call.signal));
      return exchange(connection, call);
    },
    async *stream(call) {
      yield* replies(pool.take() ?? (await connectionFor(pool, call.signal)), call);
    },
    close() {
      pool.close();
      return Promise.resolve();
    },
  };
}

async function connectionFor(pool: ConnectionPool, signal: AbortSignal): Promise<Connection> {
  for (;;) {
    await pool.changed(signal);
    const connection = pool.take();
    if (connection !== undefined) return connection;
  }
}

function exchange(connection: Connection, call: WireCall): Promise<WireReply> {
  return new Promise((resolve, reject) => {
    const attempt = new Attempt(connection, call);
    const { stream } = attempt;
    const reader = new FrameReader();
    let message: Uint8Array | undefined;
    stream.on("data", (chunk: Uint8Array) => {
      try {
        for (const frame of reader.push(chunk)) message = frame.data;
      } catch (error) {
        attempt.fail(error);
      }
    });
    // `close` and not `end`: only then nothing can follow any more, and it comes in the same turn.
    stream.once("close", () => {
      const error = attempt.error();
      if (error !== undefined) reject(error);
      else if (message === undefined) reject(new TapeError("INTERNAL", "The server answered without a message."));
      else resolve({ metadata: attempt.headers, message });
    });
  });
}

async function* replies(connection: Connection, call: WireCall): AsyncGenerator<WireReply, void, undefined> {
  const attempt = new Attempt(connection, call);
  const { stream } = attempt;
  if (stream.pending) stream.once("ready", () => call.onReached?.());
  else call.onReached?.();
  const reader = new FrameReader();
  let ended = false;
  try {
    const chunks: AsyncIterable<Uint8Array> = stream.iterator({ destroyOnReturn: false });
    for await (const chunk of chunks) {
      for (const frame of reader.push(chunk)) yield { metadata: attempt.headers, message: frame.data };
    }
    ended = true;
  } catch (error) {
    attempt.fail(error);
  } finally {
    // The reader leaves: the RPC ends here and on the server.
    if (!ended) attempt.cancel();
  }
  if (!stream.destroyed) await new Promise((resolve) => stream.once("close", resolve));
  const error = attempt.error();
  if (error !== undefined) throw error;
}

/** One RPC on one HTTP/2 stream. */
class Attempt {
  readonly stream: ClientHttp2Stream;
  /** Empty until the server has answered. */
  headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
  readonly #connection: Connection;
  readonly #call: WireCall;
  #trailers: IncomingHttpHeaders | undefined;
  #failure: unknown;

  /** Sends the request. Throws the reason of the call's signal, and SERVER_UNAVAILABLE. */
  constructor(connection: Connection, call: WireCall) {
    if (call.signal.aborted) throw endOf(call.signal);
    const stream = connection.request({
      ...call.metadata,
      ":method": "POST",
      ":path": call.path,
      "content-type": "application/grpc",
      te: "trailers",
      ...grpcTimeout(call.timeoutMs),
    });
    this.stream = stream;
    this.#connection = connection;
    this.#call = call;
    const cancel = (): void => this.cancel();
    call.signal.addEventListener("abort", cancel);
    stream.once("close", () => call.signal.removeEventListener("abort", cancel));
    stream.on("response", (headers) => {
      this.headers = headers;
    });
    stream.on("trailers", (trailers: IncomingHttpHeaders) => {
      this.#trailers = trailers;
    });
    stream.on("error", (cause) => {
      this.#failure ??= cause;
    });
    stream.end(frameOf(call.message));
  }

  /** Ends the RPC here and on the server; nothing if it has ended. */
  cancel(): void {
    if (this.stream.destroyed) return;
    this.stream.close(constants.NGHTTP2_CANCEL);
    this.stream.destroy();
  }

  /** Ends the RPC because its bytes cannot be read. */
  fail(cause: unknown): void {
    this.#failure ??= cause;
    this.cancel();
  }

  /** What the call ends with, once the stream has closed; `undefined` for success. */
  error(): TapeError | undefined {
    if (this.#call.signal.aborted) return endOf(this.#call.signal);
    const answer = readAnswer(this.headers[":status"] ?? 0, this.headers, this.#trailers);
    if (answer.kind === "error") return answer.error;
    if (this.#failure instanceof TapeError) return this.#failure;
    return answer.kind === "ok" ? undefined : this.#connection.errorOf(this.stream, this.#failure);
  }
}
