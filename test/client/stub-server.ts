import { once } from "node:events";
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { FrameReader, frameOf } from "../../src/client/grpc-frames.ts";
import { TapeError } from "../../src/errors.ts";
import { rpcMethods, type RpcMethod } from "../../src/rpc/rpc-methods.ts";
import { encodeStatusDetails, statusNumbers } from "../../src/rpc/status.ts";

/** One call as it arrived. */
export interface StubCall {
  readonly name: string;
  readonly headers: IncomingHttpHeaders;
  readonly request: Readonly<Record<string, unknown>>;
  readonly stream: ServerHttp2Stream;
  /** From 1, over all calls of this server. */
  readonly count: number;
}

/** What a script may answer beside a noun. */
interface StubAnswer {
  readonly noun: object;
  readonly headers: Record<string, string>;
}

/** Answers a call with a noun, an error (thrown), or, for a stream, with its items. `undefined`: never. */
export type Script = (call: StubCall) => object | undefined | Promise<object | undefined> | AsyncIterable<object>;

/** A gRPC server without rules: it says what the script says, and can be made to break in every way. */
export class StubServer {
  readonly calls: StubCall[] = [];
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  #script: Script;
  #port = 0;

  constructor(script: Script, settings: { readonly maxConcurrentStreams?: number } = {}) {
    this.#script = script;
    this.#server = createServer({ settings });
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
      session.on("error", () => undefined);
    });
    this.#server.on("stream", (stream, headers) => void this.#serve(stream, headers));
  }

  get url(): string {
    return `tape://127.0.0.1:${this.#port}`;
  }

  get sessions(): readonly ServerHttp2Session[] {
    return [...this.#sessions];
  }

  async listen(): Promise<this> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  /** Cuts every connection in the middle of whatever it does. */
  cut(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on("error", () => undefined);
    const [, name = ""] = /\/tape\.v1\.Tape\/(\w+)$/.exec(headers[":path"] ?? "") ?? [];
    const method = (rpcMethods as Readonly<Record<string, RpcMethod>>)[name.charAt(0).toLowerCase() + name.slice(1)];
    if (method === undefined) throw new Error(`no such RPC: ${headers[":path"]}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
    const [frame] = new FrameReader().push(Buffer.concat(chunks));
    const request = method.request.decode(frame?.data ?? new Uint8Array()) as Readonly<Record<string, unknown>>;
    const call = { name: method.name, headers, request, stream, count: this.calls.length + 1 };
    this.calls.push(call);
    try {
      const answer = this.#script(call);
      if (answer !== undefined && Symbol.asyncIterator in answer) {
        for await (const item of answer) send(stream, method, item);
      } else {
        const single = await answer;
        if (single === undefined) return;
        send(stream, method, single);
      }
      if (!stream.destroyed) stream.end();
    } catch (error) {
      if (!(error instanceof TapeError)) throw error;
      refuse(stream, error);
    }
  }
}

function send(stream: ServerHttp2Stream, method: RpcMethod, answer: object): void {
  if (stream.destroyed) return;
  const { noun, headers } = "noun" in answer ? (answer as StubAnswer) : { noun: answer, headers: {} };
  if (!stream.headersSent) {
    stream.respond({ ":status": 200, "content-type": "application/grpc", ...headers }, { waitForTrailers: true });
    stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  }
  stream.write(frameOf(method.response.encode(noun)));
}

function refuse(stream: ServerHttp2Stream, error: TapeError): void {
  if (stream.destroyed) return;
  const status = {
    "grpc-status": String(statusNumbers[error.code]),
    "grpc-message": encodeURIComponent(error.message),
    "grpc-status-details-bin": Buffer.from(encodeStatusDetails(error)).toString("base64"),
  };
  if (!stream.headersSent) {
    stream.respond({ ":status": 200, "content-type": "application/grpc", ...status }, { endStream: true });
    return;
  }
  stream.removeAllListeners("wantTrailers");
  stream.once("wantTrailers", () => stream.sendTrailers(status));
  stream.end();
}
