import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { configureTextEncoding } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, createConnectRouter, createContextValues, type ConnectRouter } from "@connectrpc/connect";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import {
  createAsyncIterable,
  readAllBytes,
  type Compression,
  type UniversalHandler,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { codeToHttpStatus, errorFromJsonBytes, errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { TapeError } from "../errors.ts";
import { fromStatus } from "../rpc/status.ts";
import type { CallDesk } from "./call-desk.ts";
import { callKey } from "./connect-routes.ts";
import { longestTimeoutMs, parseGrpcTimeout } from "./grpc-message.ts";
import { methodsByPath, ServerCall } from "./server-call.ts";
import { connectErrorOf, grpcErrorTrailers } from "./wire-error.ts";

/* The complete path: gRPC, gRPC-Web and Connect, over HTTP/1.1 and HTTP/2, by connect. Its own adapter, because what can
   be refused must be refused before the body is read, and because bytes in memory are counted while they come. */

const encoder = new TextEncoder();
const strictText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientText = new TextDecoder("utf-8", { ignoreBOM: true });

/** Texts come as they were sent: unless told so, the protobuf library drops a leading byte order mark (R7). */
function keepTextExact(): void {
  configureTextEncoding({
    checkUtf8: (text) => text.isWellFormed(),
    encodeUtf8: (text) => encoder.encode(text),
    decodeUtf8: (bytes, strict) => (strict === true ? strictText : lenientText).decode(bytes),
  });
}

/** A request of either HTTP version. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
/** The response to it. */
export type NodeResponse = (ServerResponse | Http2ServerResponse) &
  Parameters<typeof universalResponseToNodeResponse>[1];

/** Serves the routes to whatever is not plain gRPC; answers other paths with UNIMPLEMENTED in the caller's protocol. */
export function connectHandler(
  desk: CallDesk,
  routes: (router: ConnectRouter) => void,
): (request: NodeRequest, response: NodeResponse) => void {
  keepTextExact();
  const { maxMessageBytes } = desk.ports.limits;
  const router = createConnectRouter({
    readMaxBytes: maxMessageBytes,
    acceptCompression: [boundedGzip(maxMessageBytes)],
  });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const guests = new Guests(Math.min(maxGuests, desk.ports.limits.maxPending));
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const handler = handlers.get(path);
    if (handler === undefined) {
      refusePath(path, request, response);
      return;
    }
    const method = methodsByPath.get(path);
    const call = method === undefined ? undefined : new ServerCall(desk, method);
    serve(desk, handler, call ?? guests, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(400);
      response.end();
      // Callers that leave and writes to them fail here too; the call itself has been noted already.
      desk.ports.log.debug({ err: error, path }, "exchange broken off");
    });
  };
}

// Enough for every prober and every curious person; nobody knows who they are.
const maxGuests = 1000;

/**
 * Streams that need no credential, of health and reflection: they must not hold more of a server than this. A single
 * question always gets its answer: it is how orchestrators decide whether a server lives.
 */
class Guests {
  readonly #most: number;
  #open = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Says `false` when there are too many; else counts the stream until its response closes. */
  enter({ method }: UniversalHandler, response: NodeResponse): boolean {
    if (method.methodKind === "unary") return true;
    if (this.#open >= this.#most) return false;
    this.#open += 1;
    response.once("close", () => (this.#open -= 1));
    return true;
  }

  refusal(): TapeError {
    return new TapeError("OVERLOADED", `${this.#most} streams without a credential are open: try again later`);
  }
}

async function serve(
  desk: CallDesk,
  handler: UniversalHandler,
  caller: ServerCall | Guests,
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const call = caller instanceof Guests ? undefined : caller;
  const values = createContextValues().set(callKey, call);
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  dropEndlessTimeouts(universal.header);
  let body = universal.body as AsyncIterable<Uint8Array>;
  if (caller instanceof Guests) {
    if (!caller.enter(handler, response)) body = refuse(connectErrorOf(caller.refusal()));
  } else {
    response.once("close", () => {
      if (response.writableEnded) caller.fail(new TapeError("ARGUMENT_INVALID", "the request cannot be read"));
      caller.release();
    });
    try {
      await caller.admit(request.headers);
      body = receive(body, caller);
    } catch (error) {
      body = refuse(connectErrorOf(caller.fail(error)));
    }
  }
  const reply = await handler({ ...universal, body });
  const { body: answer, ...head } = await withReason(call === undefined ? reply : blamingCaller(reply, call));
  const isCounted = call !== undefined && answer !== undefined;
  const sent = isCounted
    ? { ...head, body: sending(answer, desk, call, response) }
    : { ...head, ...(answer && { body: answer }) };
  await universalResponseToNodeResponse(sent, response);
}

/** Connect hands every deadline to a timer; one that timers cannot reach would fire at once. */
function dropEndlessTimeouts(header: Headers): void {
  if (parseGrpcTimeout(header.get("grpc-timeout") ?? "") === undefined) header.delete("grpc-timeout");
  if (Number(header.get("connect-timeout-ms")) > longestTimeoutMs) header.delete("connect-timeout-ms");
}

/** Counts the bytes of a request while they come. */
async function* receive(
  body: AsyncIterable<Uint8Array>,
  call: ServerCall,
): AsyncGenerator<Uint8Array, void, undefined> {
  // The envelope of a streaming protocol has five bytes and a little more.
  const slack = 16;
  let bytes = 0;
  try {
    for await (const chunk of body) {
      bytes += chunk.length;
      call.receive(chunk.length);
      call.checkSize(Math.max(0, bytes - slack));
      yield chunk;
    }
  } catch (error) {
    throw error instanceof TapeError ? connectErrorOf(call.fail(error)) : error;
  }
}

/** Counts the bytes of an answer until they are taken. The parts of a stream wait for room before that. */
function sending(
  body: AsyncIterable<Uint8Array>,
  desk: CallDesk,
  call: ServerCall,
  response: NodeResponse,
): AsyncIterable<Uint8Array> {
  const left = new AbortController();
  let taken = (): void => {};
  response.once("close", () => {
    taken();
    left.abort(new TapeError("CANCELLED", "the caller left"));
  });
  return (async function* () {
    for await (const chunk of body) {
      // Whoever asks for the next part has handed over the one before.
      taken();
      if (call.method.kind === "unary") call.hold(chunk.length);
      else if (desk.sending.full) await desk.sending.room(left.signal);
      taken = desk.sending.take(chunk.length, () => void response.destroy());
      yield chunk;
    }
  })();
}

/** Instead of the body: connect says the error in the protocol of the call, and the body is not read. */
// oxlint-disable-next-line require-yield
async function* refuse(error: ConnectError): AsyncGenerator<Uint8Array, void, undefined> {
  throw error;
}

/**
 * Connect refuses by itself what it cannot parse, and gives no reason. In the unary protocol, the one that people use
 * with curl, its error gets the reason that its status stands for (R9).
 */
async function withReason(reply: UniversalServerResponse): Promise<UniversalServerResponse> {
  const header = reply.header;
  if (reply.status < 400 || reply.body === undefined || header?.get("content-type") !== "application/json")
    return reply;
  if (header.has("content-encoding")) return reply;
  const bytes = await readAllBytes(reply.body, Number.MAX_SAFE_INTEGER);
  const error = errorFromJsonBytes(bytes, undefined, new ConnectError("internal error", Code.Internal));
  if (error.details.length > 0) return { ...reply, body: createAsyncIterable([bytes]) };
  // Bytes that do not parse are the caller's fault; connect calls them internal.
  const code = error.rawMessage.startsWith("parse binary") ? Code.InvalidArgument : error.code;
  const explained = connectErrorOf(fromStatus(code, withoutQuote(error.rawMessage), []));
  header.delete("content-length");
  return {
    ...reply,
    status: codeToHttpStatus(code),
    body: createAsyncIterable([errorToJsonBytes(explained, undefined)]),
  };
}

/** What cannot be parsed is quoted by those who tried; but an error holds nothing of a payload, also for its sender. */
function withoutQuote(message: string): string {
  return message.replace(
    /^(cannot decode [\w. ]+ from JSON)(: expected [a-z0-9 ()]+)?.*$/s,
    (_all, what: string, expected = ": it is no JSON of that kind") => `${what}${expected}`,
  );
}

/**
 * Connect calls it internal when it cannot parse a request of gRPC or gRPC-Web. That is the caller's fault: an answer to a
 * request that never became a call is made INVALID_ARGUMENT.
 */
function blamingCaller(reply: UniversalServerResponse, call: ServerCall): UniversalServerResponse {
  const { body, trailer } = reply;
  const type = reply.header?.get("content-type") ?? "";
  if (body === undefined || !type.startsWith("application/grpc")) return reply;
  const isWeb = type.startsWith("application/grpc-web");
  const trailers = Object.entries(
    grpcErrorTrailers(fromStatus(Code.InvalidArgument, "the request cannot be read", [])),
  );
  async function* explained(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of chunks) {
      // The trailers of gRPC-Web are the last frame of its body, behind a prefix of five bytes.
      const isRefusal = isWeb && call.isUntouched && /grpc-status: ?13/i.test(Buffer.from(chunk).toString("latin1"));
      yield isRefusal ? webTrailers(trailers) : chunk;
    }
    if (isWeb || !call.isUntouched || trailer?.get("grpc-status") !== String(Code.Internal)) return;
    for (const [name, value] of trailers) trailer.set(name, String(value));
  }
  return { ...reply, body: explained(body) };
}

function webTrailers(trailers: readonly (readonly [string, unknown])[]): Uint8Array {
  const lines = Buffer.from(trailers.map(([name, value]) => `${name}: ${String(value)}\r\n`).join(""));
  const prefix = Buffer.from([0x80, 0, 0, 0, 0]);
  prefix.writeUInt32BE(lines.length, 1);
  return Buffer.concat([prefix, lines]);
}

/** Gzip that refuses a message too large when unpacked as any other message too large (R7). */
function boundedGzip(maxMessageBytes: number): Compression {
  return {
    ...compressionGzip,
    async decompress(bytes, readMaxBytes) {
      try {
        return await compressionGzip.decompress(bytes, readMaxBytes);
      } catch (error) {
        const { code, rawMessage } = ConnectError.from(error);
        const ids = { field: "message", limit: String(maxMessageBytes) };
        const tooLarge = `the message has more than ${maxMessageBytes} bytes when unpacked`;
        throw connectErrorOf(
          code === Code.ResourceExhausted
            ? new TapeError("SIZE_LIMIT", tooLarge, { ids })
            : new TapeError("ARGUMENT_INVALID", rawMessage),
        );
      }
    },
  };
}

function refusePath(path: string, request: NodeRequest, response: NodeResponse): void {
  const error = new TapeError("UNIMPLEMENTED", `there is nothing at ${path}`);
  // An unread body would keep the connection busy.
  request.resume();
  if (request.headers["content-type"]?.startsWith("application/grpc") === true) {
    response.writeHead(200, { "content-type": "application/grpc", ...grpcErrorTrailers(error) });
    response.end();
    return;
  }
  response.writeHead(404, { "content-type": "application/json" });
  response.end(errorToJsonBytes(connectErrorOf(error), undefined));
}
