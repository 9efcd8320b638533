import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { pino } from "pino";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { rpcMethods, type RpcName } from "../../src/rpc/rpc-methods.ts";
import { describeConfig, loadConfig } from "../../src/server/config.ts";
import { listSettings } from "../../src/server/settings.ts";
import { startServer } from "../../src/server/start-server.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import { createStore } from "../../src/store/open-store.ts";
import { canary, secretsIn } from "../secrets.ts";
import { GrpcCaller } from "../server/grpc-caller.ts";
import { testConfig } from "../server/test-config.ts";
import { neverExisted, type Belongings } from "./belongings.ts";
import { payloadFields } from "./payload-fields.ts";
import { rpcCases } from "./rpc-cases.ts";

const token = canary("token");
const password = canary("password");
const payload = canary("payload");

/** Everything that an error says to whoever prints it, with its causes and what hangs on them. */
const whole = (error: unknown): string => inspect(error, { depth: 20, showHidden: true, maxStringLength: null });

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tape-secrets-"));
  folders.push(folder);
  writeFileSync(join(folder, "file"), text);
  return join(folder, "file");
}

describe("no secret is in what a configuration says", () => {
  it.each<[string, Record<string, string>]>([
    ["a token that is malformed", { TAPE_TOKENS: `${token} ${token}` }],
    ["a token without its tenant", { TAPE_TOKENS: `:${token}` }],
    ["a token that stands there twice", { TAPE_TOKENS: `${token},acme:${token}` }],
    ["a token that nothing reads", { TAPE_TOKENS: token, TAPE_AUTH: "none" }],
    ["a token in the place of a file", { TAPE_TOKENS_FILE: token }],
    ["a file of bad tokens", { TAPE_TOKENS_FILE: fileWith(`a:${token}\n${token}!\n`) }],
    ["a rule that is no JSON", { TAPE_AUTH: "jwt", TAPE_AUTH_RULES: fileWith(`{"rules": [${token}`) }],
    ["a key that is none", { TAPE_TLS_CERT: fileWith(token), TAPE_TLS_KEY: fileWith(token) }],
  ])("that is refused: %s", (what, env) => {
    const given = { TAPE_AUTH: "token", ...env };
    let said = "";
    try {
      said = inspect(describeConfig(loadConfig({}, given, false)));
    } catch (error) {
      said = whole(error);
    }
    // A path is no secret, and an error about a file has to name it.
    expect(secretsIn(what === "a token in the place of a file" ? said.replaceAll(token, "") : said)).toEqual([]);
  });

  it("that is shown", () => {
    const store = `postgres://tape:${password}@127.0.0.1/tape?sslpassword=${password}`;
    const config = loadConfig({}, { TAPE_AUTH: "token", TAPE_TOKENS: token, TAPE_STORE: store }, false);
    expect(secretsIn(JSON.stringify(describeConfig(config)))).toEqual([]);
    expect(secretsIn(JSON.stringify(config))).toContain("token");
  });

  it("and none is a flag, which everybody on the machine reads", () => {
    const secret = listSettings().filter(({ env }) => /TOKENS$|PASSWORD|SECRET/.test(env));
    expect(secret.map(({ flag }) => flag)).toEqual([null]);
  });
});

describe("no password is in what opening a store says", () => {
  // Numbered, because the name of a test is printed.
  const urls: readonly string[] = [
    `postgres://tape:${password}@127.0.0.1:1/tape`,
    `postgres://tape:${password}@[::1/tape`,
    `postgres://tape:${password}@127.0.0.1:notaport/tape`,
    `postgres://tape:${password}/@127.0.0.1/tape`,
    `postgresql://tape@127.0.0.1:1/tape?password=${password}`,
    `alloydb://tape:${password}@127.0.0.1:1/tape`,
    `postgress://tape:${password}@127.0.0.1/tape`,
    `mysql://tape:${password}@127.0.0.1/tape`,
    `tape:${password}@127.0.0.1/tape`,
    `bigtable://user:${password}@project/instance/table`,
    `bigtable://project/instance?token=${password}`,
    `spanner://user:${password}@project/instance/database`,
    `sqlite:/nowhere/at/all.db?password=${password}`,
  ];
  it.each(urls.map((_, index) => index))("by a URL of the kinds that there are: %i", async (index) => {
    const url = urls[index] ?? "";
    let said = "";
    try {
      const store = await createStore(url, { environment: {} });
      onTestFinished(() => store.close());
      await store.open({ signal: AbortSignal.timeout(5000) });
    } catch (error) {
      said = whole(error);
    }
    expect(said).not.toBe("");
    expect(secretsIn(said)).toEqual([]);
  });
});

/** A real server over a real engine, its whole log at the lowest level, and a caller with a token. */
async function served(): Promise<{ caller: GrpcCaller; url: string; log: string[] }> {
  const log: string[] = [];
  const store = new MemoryStore();
  await store.migrate({ dryRun: false });
  const engine = new Engine({ store, limits: { payloadBytes: 4096 } });
  const server = await startServer({
    engine,
    config: { ...testConfig, auth: "token", credentials: [{ token, tenant: "acme" }], maxPayloadBytes: 4096 },
    logger: pino({ level: "trace" }, { write: (line) => void log.push(line) }),
  });
  const caller = new GrpcCaller(server.address);
  onTestFinished(async () => {
    caller.close();
    await server.close(0);
    await engine.close();
    await store.close();
  });
  return { caller, url: `http://${server.address}`, log };
}

describe("no token is in what a server says or logs", () => {
  const headers: readonly string[] = [
    `Bearer ${token}x`,
    `Basic ${token}`,
    token,
    `Bearer ${token} ${token}`,
    `Bearer ${token}${"y".repeat(5000)}`,
    `Bearer ${encodeURIComponent(`${token}:`)}`,
  ];
  it.each(headers.map((_, index) => index))("to a header of the kinds that there are: %i", async (index) => {
    const authorization = headers[index] ?? "";
    const { caller, url, log } = await served();
    const failure: unknown = await caller
      .unary("getRun", { runId: "r" }, { authorization })
      .catch((error: unknown) => error);
    const reply = await fetch(`${url}/tape.v1.Tape/GetRun`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: "{}",
    });
    const said = [inspect(failure), await reply.text(), inspect([...reply.headers]), ...log].join("\n");
    expect(log.length).toBeGreaterThan(1);
    expect(secretsIn(said)).toEqual([]);
  });
});

const some: Belongings = {
  tenant: "acme",
  appName: "app",
  userId: "user",
  sessionId: "session",
  invocationId: "invocation",
  runId: "run-000000000000000000000000",
  idempotencyKey: "key",
  businessKey: "order",
  connector: "bank",
  gateName: "gate",
  timerId: "timer",
  namespace: "space",
  key: "key",
  eventId: "event",
  reactionId: "reaction",
  taskId: "task-000000000000000000000000",
  mark: "",
};

/** Payloads of which each is wrong in another way, or right on a call that is wrong. */
const payloads: readonly (readonly [string, string])[] = [
  ["is right", JSON.stringify({ payload })],
  ["is no JSON", `{"a": ${payload}`],
  ["ends in the middle", `{"a": "${payload}`],
  ["is no object", `"${payload}"`],
  ["is too large", JSON.stringify({ payload, pad: "x".repeat(5000) })],
  ["has half a letter", JSON.stringify({ payload }).replace("canary", "canary\ud800")],
];

describe("no payload is in what a server says of a failure, or logs at the lowest level", () => {
  const methods = (Object.keys(rpcCases) as RpcName[]).filter((name) => payloadFields(name).length > 0);

  it("of whichever RPC has payloads", () => {
    expect(methods.length).toBeGreaterThan(15);
  });

  it.each(payloads)("that %s", async (_what, text) => {
    const { caller, url, log } = await served();
    const headers = { authorization: `Bearer ${token}` };
    const begun = await caller.unary("beginRun", { appName: "app", invocationId: "1", leaseOwner: "w" }, headers);
    const said: string[] = [];
    for (const name of methods) {
      for (const names of [some, { ...neverExisted(some), runId: begun.response.runId }]) {
        const request = {
          ...rpcCases[name](names),
          ...Object.fromEntries(payloadFields(name).map((field) => [field, text])),
        };
        // Only what the server says when it refuses: an answer gives back what was put in.
        const failure: unknown = await caller
          .unary(name as never, request as never, headers)
          .catch((error: unknown) => error);
        if (!(typeof failure === "object" && failure !== null && "response" in failure))
          said.push(`${name}: ${inspect(failure)}`);
        const { path } = rpcMethods[name];
        const bodies = [
          JSON.stringify(request),
          JSON.stringify(request).slice(0, -9),
          `{"${payloadFields(name)[0] ?? ""}": ${payload}}`,
        ];
        for (const body of bodies) {
          const json = await fetch(`${url}${path}`, {
            method: "POST",
            headers: { ...headers, "content-type": "application/json" },
            body,
          });
          const answer = await json.text();
          if (!json.ok) said.push(`${name}: ${answer}`);
        }
      }
    }
    expect(said.length).toBeGreaterThan(methods.length);
    expect(said.filter((line) => secretsIn(line).length > 0)).toEqual([]);
    expect(log.filter((line) => secretsIn(line).length > 0)).toEqual([]);
    expect(log.length).toBeGreaterThan(methods.length * 2);
  });
});
