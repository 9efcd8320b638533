import { connect, constants, type ClientHttp2Session } from "node:http2";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { pino } from "pino";
import { Engine } from "../../../src/engine/engine.ts";
import { rpcMethods, type RpcMethod } from "../../../src/rpc/rpc-methods.ts";
import { startServer } from "../../../src/server/start-server.ts";
import { MemoryStore } from "../../../src/store/memory/memory-store.ts";
import { testConfig } from "../../server/test-config.ts";
import { wrong, type Target } from "../target.ts";
import { damaged, messageBytes } from "../wire-bytes.ts";

/** A request as it goes over the network. */
interface Input {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Hex. */
  readonly body: string;
  /** So many bytes of a body that unpacks to more; 0: the body as it is. */
  readonly bomb: number;
}

const methods = Object.values<RpcMethod>(rpcMethods);
const maxMessageBytes = 256 * 1024;

const contentTypes = fc.constantFrom(
  "application/grpc",
  "application/grpc+proto",
  "application/grpc+json",
  "application/grpc-web+proto",
  "application/grpc-web-text",
  "application/grpc-web+json",
  "application/proto",
  "application/json",
  "application/connect+proto",
  "application/connect+json",
  "text/plain",
  "",
);
const ascii = fc.string({ unit: fc.constantFrom("a", "0", "-", " ", "~", ",", "%", "\u{e9}", "\u{ff}"), maxLength: 8 });
const numbers = fc.constantFrom(
  "0",
  "1",
  "-1",
  "9007199254740993",
  "1e3",
  "0x10",
  "99999999999999999999",
  "1S",
  "1n",
  "99999999H",
  "0m",
  "5000m",
  "123456789m",
  "NaN",
  "",
);
const long = fc.constantFrom(1, 129, 513, 4000).map((times) => "x".repeat(times));
/** Metadata (`docs/semantics.md`) and what protocols send. */
const headerNames = [
  "tape-request-id",
  "tape-lease-epoch",
  "tape-strict",
  "tape-gate-occurrence",
  "tape-claimer",
  "traceparent",
  "authorization",
  "grpc-timeout",
  "connect-timeout-ms",
  "connect-protocol-version",
  "grpc-encoding",
  "content-encoding",
  "connect-content-encoding",
  "grpc-accept-encoding",
  "tracestate",
  "x-tenant",
  "tape-tenant",
] as const;
const headerValue = fc.oneof(
  ascii,
  numbers,
  long,
  fc.constantFrom(
    "gzip",
    "identity",
    "br",
    "snappy",
    "Bearer x",
    "Bearer ",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ),
);
const headers = fc
  .tuple(contentTypes, fc.array(fc.tuple(fc.constantFrom(...headerNames), headerValue), { maxLength: 2 }))
  .map(([type, more]) =>
    Object.fromEntries([["content-type", type], ...more].map(([name = "", value = ""]) => [name, value.trim()])),
  );

const json = fc
  .oneof(
    fc.json(),
    fc.constantFrom(
      "",
      "{",
      "[]",
      "null",
      '{"runId":1}',
      '{"__proto__":{"runId":"x"}}',
      '{"decisionIndex":"9007199254740993"}',
      '{"decisionIndex":1e400}',
      '{"labels":{"__proto__":"x"}}',
      '{"runId":"\\ud800"}',
      '{"runId":"a","runId":"b"}',
      '{"status":"NOPE"}',
      '{"status":99}',
      "\u{feff}{}",
    ),
    fc.constantFrom(100, 100_000).map((depth) => `{"runId":${"[".repeat(depth)}${"]".repeat(depth)}}`),
  )
  .map((text) => Buffer.from(text));

/** The five bytes before a message, a lie at times. */
const framed = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(bytes, fc.constantFrom(0, 0, 0, 0, 0, 1, 2, 128, 255), fc.constantFrom(0, 0, 0, 0, 1, -1, 1000, 2 ** 31))
    .map(([message, flags, lie]) => {
      const prefix = Buffer.alloc(5);
      prefix[0] = flags;
      prefix.writeUInt32BE((message.length + lie) >>> 0, 1);
      return Buffer.concat([prefix, flags === 1 ? gzipSync(message) : message]);
    });

const inputs = fc.constantFrom(...methods.filter(({ kind }) => kind === "unary")).chain(({ path, request }) => {
  const message = fc.oneof(damaged(messageBytes(request.schema)), json, fc.uint8Array({ maxLength: 20 }));
  return fc.record({
    path: fc.oneof(
      { weight: 20, arbitrary: fc.constant(path) },
      { weight: 1, arbitrary: fc.constantFrom("/", "/tape.v1.Tape/Nothing", `${path}?x=1`, "/healthz", "/metrics") },
    ),
    headers,
    body: fc.oneof(framed(message), message).map((bytes) => Buffer.from(bytes).toString("hex")),
    bomb: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64 * 1024 * 1024),
  });
});

/** A body of gzip, with the prefix of gRPC for the protocols that have one. */
function bombOf(bytes: number, type: string, bombs: Map<number, Buffer>): Buffer {
  const packed = bombs.get(bytes) ?? gzipSync(Buffer.alloc(bytes));
  bombs.set(bytes, packed);
  if (type === "application/proto" || type === "application/json") return packed;
  const prefix = Buffer.from([1, 0, 0, 0, 0]);
  prefix.writeUInt32BE(packed.length, 1);
  return Buffer.concat([prefix, packed]);
}

/** What came back. */
interface WireAnswer {
  readonly http: number;
  readonly grpc: string | undefined;
  readonly body: string;
}

function ask(
  session: ClientHttp2Session,
  path: string,
  head: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ":path": path, ...head });
    const chunks: Buffer[] = [];
    let http = 0;
    let grpc: string | undefined;
    const note = (received: Readonly<Record<string, unknown>>): void => {
      const status = received["grpc-status"];
      if (typeof status === "string") grpc = status;
    };
    stream.on("response", (received) => {
      http = Number(received[":status"]);
      note(received);
    });
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("close", () => resolve({ http, grpc, body: Buffer.concat(chunks).toString("latin1") }));
    stream.end(body);
  });
}

/** The status an answer has, in words; anything that a caller's bytes cannot be the reason of fails the trial. */
export function statusOf({ http, grpc, body }: WireAnswer): string {
  if (http === 0) wrong("no answer");
  const trailer = grpc ?? /grpc-status: ?(\d+)/i.exec(body)?.[1];
  const code = /"code":"([a-z_]+)"/.exec(body)?.[1];
  if (trailer === "13" || trailer === "2") wrong(`gRPC status ${trailer}`);
  if (code === "internal" || code === "unknown") wrong(`Connect code ${code}`);
  if (http >= 500 && code !== "unimplemented" && code !== "unavailable" && code !== "deadline_exceeded")
    wrong(`HTTP status ${http}`);
  return `${http} ${trailer === undefined ? (code ?? "") : `gRPC ${trailer}`}`;
}

/** Memory that may be taken while one request is answered: a few times the largest message. */
const mostGrowthBytes = 256 * 1024 * 1024;

/** The server itself, over a socket: an answer to everything, never INTERNAL, and the next call works. */
export const wire: Target<Input> = {
  name: "wire",
  inputs,
  async open() {
    const store = new MemoryStore();
    await store.migrate({ dryRun: false });
    const engine = new Engine({ store });
    const server = await startServer({
      engine,
      config: { ...testConfig, maxMessageBytes, maxPayloadBytes: maxMessageBytes },
      logger: pino({ level: "silent" }),
    });
    const bombs = new Map<number, Buffer>();
    const begin = (): ClientHttp2Session => {
      const begun = connect(`http://${server.address}`);
      // Each stream says what became of it.
      begun.on("error", () => undefined);
      return begun;
    };
    let session = begin();
    return {
      async check({ path, headers: head, body, bomb }) {
        if (session.closed || session.destroyed) session = begin();
        const before = process.memoryUsage.rss();
        const packed =
          bomb === 0 ? {} : { "grpc-encoding": "gzip", "content-encoding": "gzip", "connect-content-encoding": "gzip" };
        const bytes = bomb === 0 ? Buffer.from(body, "hex") : bombOf(bomb, head["content-type"] ?? "", bombs);
        let outcome: string;
        try {
          outcome = statusOf(await ask(session, path, { ...head, ...packed }, bytes));
        } catch (error) {
          // What HTTP/2 itself does not allow ends at the client.
          if (!(error instanceof Error && "code" in error)) throw error;
          outcome = `HTTP/2: ${String(error.code)}`;
        }
        if (process.memoryUsage.rss() - before > mostGrowthBytes)
          wrong("the memory of the server has grown beyond bounds");
        if (session.closed || session.destroyed) session = begin();
        const next = await ask(
          session,
          rpcMethods.listReactions.path,
          { "content-type": "application/json" },
          Buffer.from("{}"),
        );
        if (next.http !== 200) wrong(`the next call is answered with HTTP status ${next.http}`);
        return outcome;
      },
      async close() {
        session.close();
        session.destroy(undefined, constants.NGHTTP2_NO_ERROR);
        await server.close(0);
        await engine.close();
        await store.close();
      },
    };
  },
};
