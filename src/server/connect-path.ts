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
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const handler = handlers.get(path);
    if (handler === undefined) {
      refusePath(path, request, response);
      return;
    }
    const method = methodsByPath.get(path);
    const call = method === undefined ? undefined : new ServerCall(desk, method);
    serve(handler, call, request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(400);
      response.end();
      // Callers that leave and writes to them fail here too; the call itself has been noted already.
      desk.ports.log.debug({ err: error, path }, "exchange broken off");
    });
  };
}

async function serve(
  handler: UniversalHandler,
  call: ServerCall | undefined,
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const values = createContextValues().set(callKey, call);
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  dropEndlessTimeouts(universal.header);
  let body = universal.body as AsyncIterable<Uint8Array>;
  if (call !== undefined) {
    response.once("close", () => {
      if (response.writableEnded) call.fail(new TapeError("ARGUMENT_INVALID", "the request cannot be read"));
      call.release();
    });
    try {
      await call.admit(request.headers);
      body = receive(body, call);
    } catch (error) {
      body = refuse(connectErrorOf(call.fail(error)));
    }
  }
  const reply = await handler({ ...universal, body });
  await universalResponseToNodeResponse(await withReason(reply), response);
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
  const explained = connectErrorOf(fromStatus(code, error.rawMessage, []));
  header.delete("content-length");
  return {
    ...reply,
    status: codeToHttpStatus(code),
    body: createAsyncIterable([errorToJsonBytes(explained, undefined)]),
  };
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
