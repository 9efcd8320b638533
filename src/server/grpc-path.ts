import { once } from "node:events";
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { TapeError } from "../errors.ts";
import type { CallDesk } from "./call-desk.ts";
import { responseMetadata } from "./call-metadata.ts";
import { frameOf, parseGrpcTimeout, SingleMessage } from "./grpc-message.ts";
import { methodsByPath, ServerCall } from "./server-call.ts";
import { grpcErrorTrailers } from "./wire-error.ts";

/* The fast path: plain gRPC directly on the streams of `node:http2`. Everything else, compressed gRPC included, is left
   to connect, which is several times slower; `docs/server.md` has the figures. */

const plainGrpc: ReadonlySet<string> = new Set(["application/grpc", "application/grpc+proto"]);
const okHeaders: OutgoingHttpHeaders = Object.freeze({ ":status": 200, "content-type": "application/grpc+proto" });
const okTrailers: OutgoingHttpHeaders = Object.freeze({ "grpc-status": "0" });
const withTrailers = { waitForTrailers: true, sendDate: false };
const withoutBody = { endStream: true, sendDate: false };

/** Serves a call of `tape.v1.Tape` in plain gRPC; says `false` to everything else, which it leaves alone. */
export function serveGrpc(
  desk: CallDesk,
  closing: AbortSignal,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): boolean {
  const method = methodsByPath.get(headers[":path"] ?? "");
  if (method === undefined || headers[":method"] !== "POST") return false;
  if (!plainGrpc.has(headers["content-type"] ?? "") || (headers["grpc-encoding"] ?? "identity") !== "identity") {
    return false;
  }
  new Exchange(desk, new ServerCall(desk, method), stream, closing).begin(headers);
  return true;
}

/** One call on one HTTP/2 stream. */
class Exchange {
  readonly #desk: CallDesk;
  readonly #call: ServerCall;
  readonly #stream: ServerHttp2Stream;
  readonly #closing: AbortSignal;
  readonly #body = new SingleMessage();
  #timeoutMs: number | undefined;

  constructor(desk: CallDesk, call: ServerCall, stream: ServerHttp2Stream, closing: AbortSignal) {
    this.#desk = desk;
    this.#call = call;
    this.#stream = stream;
    this.#closing = closing;
  }

  begin(headers: IncomingHttpHeaders): void {
    const stream = this.#stream;
    stream.once("close", () => this.#call.release());
    const receive = (chunk: Buffer): void => {
      try {
        this.#call.receive(chunk.length);
        this.#call.checkSize(this.#body.push(chunk) ?? 0);
      } catch (error) {
        stream.off("data", receive);
        stream.off("end", answer);
        this.#refuse(this.#call.fail(error));
      }
    };
    const answer = (): void => void this.#answer();
    const take = (): void => {
      // The caller may have left while its credential was looked into.
      if (stream.closed) return;
      this.#timeoutMs = timeoutOf(headers);
      stream.on("data", receive);
      stream.once("end", answer);
    };
    const refuse = (error: unknown): void => this.#refuse(this.#call.fail(error));
    try {
      const admitted = this.#call.admit(headers);
      if (admitted === undefined) take();
      else admitted.then(take).catch(refuse);
    } catch (error) {
      refuse(error);
    }
  }

  async #answer(): Promise<void> {
    const { kind, request } = this.#call.method;
    // A caller that has left, or was cut off for being slow, wants no answer.
    if (this.#stream.closed) return;
    try {
      const noun = request.decode(this.#body.finish());
      await (kind === "unary" ? this.#answerUnary(noun) : this.#answerStream(noun));
    } catch (error) {
      this.#refuse(this.#call.fail(error));
    }
  }

  async #answerUnary(request: object): Promise<void> {
    // A deadline but no signal: an AbortController costs a third of a call, and a unary call of Tape waits for nothing
    // but commits, which go on when its caller leaves (R9).
    const result = await this.#call.unary(request, { timeoutMs: this.#timeoutMs });
    const frame = frameOf(this.#call.method.response.encode(result as never));
    this.#call.succeed(result);
    if (this.#stream.closed) return;
    this.#call.hold(frame.length);
    this.#stream.respond({ ...okHeaders, ...responseMetadata(result) }, withTrailers);
    this.#stream.once("wantTrailers", sendOkTrailers);
    this.#stream.end(frame);
    if (this.#stream.writableLength > 0) this.#stream.once("close", this.#sending(frame.length));
  }

  async #answerStream(request: object): Promise<void> {
    const { name, response } = this.#call.method;
    const stream = this.#stream;
    const ending = new AbortController();
    const leave = (): void => ending.abort(new TapeError("CANCELLED", "the caller left"));
    const close = (): void => ending.abort(this.#closing.reason);
    const expire = (): void => ending.abort(new TapeError("DEADLINE_EXCEEDED", "the caller's deadline has passed"));
    const timer = this.#timeoutMs === undefined ? undefined : setTimeout(expire, this.#timeoutMs);
    stream.once("close", leave);
    this.#closing.addEventListener("abort", close);
    if (this.#closing.aborted) close();
    let trailers = okTrailers;
    const open = (first: object): void => {
      stream.respond({ ...okHeaders, ...responseMetadata(first) }, withTrailers);
      stream.once("wantTrailers", () => stream.sendTrailers(trailers));
    };
    try {
      // Headers go at once, so that a caller knows that it is served; those of WatchValue wait for its first item (R61).
      if (name !== "watchValue") open({});
      for await (const item of this.#call.stream(request, ending.signal)) {
        if (!stream.headersSent) open(item);
        if (this.#desk.sending.full) await this.#desk.sending.room(ending.signal);
        if (!stream.write(frameOf(response.encode(item as never)))) {
          const taken = this.#sending(stream.writableLength);
          await once(stream, "drain", { signal: ending.signal }).finally(taken);
        }
      }
      this.#call.succeed();
      if (!stream.headersSent) open({});
    } catch (error) {
      const failure = this.#call.fail(ending.signal.aborted ? ending.signal.reason : error);
      if (!stream.headersSent) return this.#refuse(failure);
      trailers = grpcErrorTrailers(failure);
    } finally {
      clearTimeout(timer);
      stream.off("close", leave);
      this.#closing.removeEventListener("abort", close);
    }
    stream.end();
  }

  /** Takes note of bytes on their way; gives back what to call when the caller has taken them. */
  #sending(bytes: number): () => void {
    // Clients of gRPC take this code for RESOURCE_EXHAUSTED, which it is.
    return this.#desk.sending.take(bytes, () => this.#stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM));
  }

  /** Answers with nothing but trailers. A body that is still coming is cut off behind them. */
  #refuse(failure: TapeError): void {
    if (this.#stream.closed || this.#stream.headersSent) return;
    this.#stream.respond({ ...okHeaders, ...grpcErrorTrailers(failure) }, withoutBody);
    if (!this.#stream.readableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }
}

function timeoutOf(headers: IncomingHttpHeaders): number | undefined {
  const header = headers["grpc-timeout"];
  if (header === undefined) return undefined;
  const timeoutMs = parseGrpcTimeout(String(header));
  if (timeoutMs !== null) return timeoutMs;
  throw new TapeError("ARGUMENT_INVALID", `grpc-timeout "${String(header)}" is not up to eight digits and a unit`);
}

function sendOkTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(okTrailers);
}
