import { createHmac } from "node:crypto";
import { status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectTape } from "../../src/client/connect-tape.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import type { AdmissionRule } from "../../src/server/id-token/admission-rule.ts";
import { googleIssuer } from "../../src/server/id-token/trusted-issuer.ts";
import { FakeClock } from "../../src/testing/index.ts";
import { RealServer } from "../client/real-server.ts";
import { GrpcCaller } from "./grpc-caller.ts";
import { audience, LocalIssuer, makeKey, type IssuerKey } from "./local-issuer.ts";
import { serveDouble } from "./server-fixture.ts";

const robot = "agent@acme.iam.gserviceaccount.com";
const rules: readonly AdmissionRule[] = [
  { tenant: "acme", scopes: ["refunds", "mail"], emails: [robot] },
  { tenant: "acme", scopes: [], emails: ["auditor@acme.iam.gserviceaccount.com"] },
  { tenant: "globex", scopes: null, emails: ["agent@globex.iam.gserviceaccount.com"] },
  { tenant: "", scopes: null, emails: ["single@home.iam.gserviceaccount.com"] },
];
const names = [...googleIssuer.names] as const;
const google = { iss: names[0], email: robot, email_verified: true, sub: "1047" };

let issuer: LocalIssuer;
let stranger: IssuerKey;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  issuer = await LocalIssuer.open(await makeKey("RS256", "rsa-1"));
  stranger = await makeKey("RS256", "rsa-1");
});

afterAll(() => issuer[Symbol.asyncDispose]());

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

/** The configuration of `TAPE_AUTH=google`, but for the place of Google's keys. */
function googleConfig(jwksUrl: string = issuer.jwksUrl): Partial<ServerConfig> {
  return { auth: "google", idTokens: { issuer: { ...googleIssuer, jwksUrl }, audiences: [audience], rules } };
}

async function serve(config: Partial<ServerConfig> = googleConfig()): Promise<{ caller: GrpcCaller; url: string }> {
  const server = await RealServer.open(config);
  open.push(server);
  const caller = new GrpcCaller(server.url.replace("tape://", ""));
  open.push({ [Symbol.asyncDispose]: () => Promise.resolve(caller.close()) });
  return { caller, url: server.url.replace("tape:", "http:") };
}

const bearer = (token: string): { authorization: string } => ({ authorization: `Bearer ${token}` });
const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const begin = { appName: "refunds", invocationId: "order-17", leaseOwner: "w" };

function asJson(url: string, rpc: string, token: string, body: object): Promise<Response> {
  const headers = { "content-type": "application/json", ...bearer(token) };
  return fetch(`${url}/tape.v1.Tape/${rpc}`, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Another text in the middle of a token. */
function withPayload(token: string, change: (claims: Record<string, unknown>) => object): string {
  const [head = "", payload = "", signature = ""] = token.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown>;
  return [head, encoded(change(claims)), signature].join(".");
}

/** The oldest trick: what verifies is public, so use it as a shared secret. */
function hmacWithPublicKey(claims: object): string {
  const text = `${encoded({ alg: "HS256", kid: "rsa-1" })}.${encoded(claims)}`;
  const secret = JSON.stringify(issuer.keys[0]?.publicJwk);
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const goodClaims = (): object => ({ ...google, aud: audience, exp: seconds() + 3600 });

const bad: readonly (readonly [string, () => string | Promise<string>, string, RegExp])[] = [
  ["expired", () => issuer.sign({ ...google, exp: seconds() - 31 }), "CREDENTIALS_EXPIRED", /expired at 2/],
  ["not yet valid", () => issuer.sign({ ...google, nbf: seconds() + 60 }), "CREDENTIALS_INVALID", /not valid yet/],
  ["without expiry", () => issuer.sign({ ...google, exp: undefined }), "CREDENTIALS_INVALID", /when it expires/],
  [
    "for another audience",
    () => issuer.sign({ ...google, aud: "x" }),
    "CREDENTIALS_INVALID",
    /audience; ask .*tape\.ex/,
  ],
  ["for no audience", () => issuer.sign({ ...google, aud: undefined }), "CREDENTIALS_INVALID", /audience/],
  [
    "of another issuer",
    () => issuer.sign({ ...google, iss: "https://evil" }),
    "CREDENTIALS_INVALID",
    /not from the issuer/,
  ],
  ["of no issuer", () => issuer.sign({ ...google, iss: undefined }), "CREDENTIALS_INVALID", /not from the issuer/],
  ["unsigned", () => `${encoded({ alg: "none" })}.${encoded(goodClaims())}.`, "CREDENTIALS_INVALID", /RS256/],
  ["signed with the public key", () => hmacWithPublicKey(goodClaims()), "CREDENTIALS_INVALID", /taken here: RS256/],
  ["signed by a stranger", () => issuer.sign(google, stranger), "CREDENTIALS_INVALID", /signature is wrong/],
  [
    "of an unknown key",
    () => issuer.sign(google, { ...stranger, kid: "rsa-9" }),
    "CREDENTIALS_INVALID",
    /does not have/,
  ],
  [
    "changed",
    async () => withPayload(await issuer.sign(google), (c) => ({ ...c, email: "x@y" })),
    "CREDENTIALS_INVALID",
    /signature/,
  ],
  ["cut off", async () => (await issuer.sign(google)).slice(0, -10), "CREDENTIALS_INVALID", /signature is wrong/],
  [
    "of Cloud Run's making",
    async () => `${(await issuer.sign(google)).replace(/\.[^.]*$/, "")}.SIGNATURE_REMOVED_BY_GOOGLE`,
    "CREDENTIALS_INVALID",
    /X-Serverless-Authorization/,
  ],
  ["too large", () => issuer.sign({ ...google, pad: "x".repeat(17_000) }), "CREDENTIALS_INVALID", /more than 16384/],
  ["no JWT", () => "ya29.access-token", "CREDENTIALS_INVALID", /not a JWT/],
  ["no JSON", () => "e30.bm8.eA", "CREDENTIALS_INVALID", /not a JWT/],
  ["of nobody", () => issuer.sign({ ...google, email: undefined }), "CALLER_NOT_ADMITTED", /admits 1047/],
  [
    "of an address not verified",
    () => issuer.sign({ ...google, email_verified: false }),
    "CREDENTIALS_INVALID",
    /verified/,
  ],
  [
    "without a word on the address",
    () => issuer.sign({ ...google, email_verified: undefined }),
    "CREDENTIALS_INVALID",
    /verified/,
  ],
  [
    "of an account that is not allowed",
    () => issuer.sign({ ...google, email: "eve@evil.example" }),
    "CALLER_NOT_ADMITTED",
    /admits eve@evil/,
  ],
  [
    "of an account written otherwise",
    () => issuer.sign({ ...google, email: robot.toUpperCase() }),
    "CALLER_NOT_ADMITTED",
    /admits/,
  ],
];

describe("ID tokens of Google", () => {
  it.each(bad)(
    "are refused when %s, by gRPC and Connect, and nothing is written",
    async (_what, make, reason, message) => {
      const { caller, url } = await serve();
      const token = await make();
      const code = reason === "CALLER_NOT_ADMITTED" ? status.PERMISSION_DENIED : status.UNAUTHENTICATED;
      const failure = await caller.unary("beginRun", begin, bearer(token)).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code, reason, message: expect.stringMatching(message), domain: "tape" });
      expect(JSON.stringify(failure)).not.toContain(token);
      const reply = await asJson(url, "BeginRun", token, begin);
      expect(reply.status).toBe(code === status.UNAUTHENTICATED ? 401 : 403);
      expect(await reply.text()).not.toContain(token);
      const items = caller.stream("subscribeEvents", {}, bearer(token));
      await expect(items.next()).rejects.toMatchObject({ code, reason });
      const good = await caller.unary("beginRun", begin, bearer(await issuer.sign(google)));
      expect(good.response).toMatchObject({ resumed: false, nextSeq: 2 });
    },
  );

  it.each(names)("are taken from %s, and say the tenant", async (iss) => {
    const { caller, url } = await serve();
    const token = await issuer.sign({ ...google, iss });
    const { response } = await caller.unary("beginRun", begin, bearer(token));
    const run = await caller.unary("getRun", { runId: response.runId }, bearer(token));
    expect(run.response).toMatchObject({ tenantId: "acme" });
    const other = await issuer.sign({ ...google, email: "agent@globex.iam.gserviceaccount.com" });
    await expect(caller.unary("getRun", { runId: response.runId }, bearer(other))).rejects.toMatchObject({
      reason: "RUN_NOT_FOUND",
    });
    expect((await asJson(url, "GetRun", token, { runId: response.runId })).status).toBe(200);
  });

  it.each([
    ["another tenant's", robot, "globex"],
    ["a tenant's when theirs is the unnamed one", "single@home.iam.gserviceaccount.com", "acme"],
  ])("never open %s door because a request says so", async (_what, email, tenantId) => {
    const { caller } = await serve();
    const token = await issuer.sign({ ...google, email });
    await expect(caller.unary("beginRun", { ...begin, tenantId }, bearer(token))).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      reason: "TENANT_NOT_GRANTED",
      ids: { tenant_id: tenantId },
    });
    const { response } = await caller.unary("beginRun", begin, bearer(token));
    expect(response).toMatchObject({ resumed: false });
  });

  it("grant a run the scopes of their rule and no other, and nothing is written (R21)", async () => {
    const { caller } = await serve();
    const agent = bearer(await issuer.sign(google));
    const auditor = bearer(await issuer.sign({ ...google, email: "auditor@acme.iam.gserviceaccount.com" }));
    const run = { ...begin, scopes: ["refunds", "payouts"] };
    for (const [who, scope] of [
      [agent, "payouts"],
      [auditor, "refunds"],
    ] as const) {
      await expect(caller.unary("beginRun", run, who)).rejects.toMatchObject({
        code: status.PERMISSION_DENIED,
        reason: "SCOPE_NOT_GRANTED",
        ids: { scope },
      });
    }
    const begun = await caller.unary("beginRun", { ...begin, scopes: ["refunds"] }, agent);
    expect(begun.response).toMatchObject({ resumed: false, nextSeq: 2 });
    // Also of a run that is there: what it may do was settled when it began.
    await expect(caller.unary("beginRun", run, agent)).rejects.toMatchObject({ reason: "SCOPE_NOT_GRANTED" });
    const effect = {
      runId: begun.response.runId,
      toolName: "refund",
      semantics: "NON_IDEMPOTENT",
      dispatchMode: "OUTBOX",
      connector: "bank",
    } as const;
    await caller.unary("beginEffect", { ...effect, scope: "refunds" }, agent);
    await expect(
      caller.unary("beginEffect", { ...effect, callIndex: 1, scope: "payouts" }, agent),
    ).rejects.toMatchObject({
      reason: "SCOPE_NOT_GRANTED",
    });
    const any = bearer(await issuer.sign({ ...google, email: "agent@globex.iam.gserviceaccount.com" }));
    await caller.unary("beginRun", { ...begin, scopes: ["whatever"] }, any);
  });

  it("do not come in while Google's keys cannot be read, and a client tries again by itself", async () => {
    const dead = "http://127.0.0.1:1/keys";
    const { caller, url } = await serve(googleConfig(dead));
    const token = await issuer.sign(google);
    await expect(caller.unary("beginRun", begin, bearer(token))).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      reason: "ISSUER_UNAVAILABLE",
    });
    expect((await asJson(url, "BeginRun", token, begin)).status).toBe(503);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it("whose caller leaves while they are looked at leave nothing behind", async () => {
    await using slow = await LocalIssuer.open(await makeKey("RS256", "rsa-1"));
    let answer = (): void => {};
    slow.behaviour = (_request, response) => (answer = () => response.destroy());
    const served = await serveDouble({}, googleConfig(slow.jwksUrl));
    try {
      const caller = new GrpcCaller(served.server.address);
      const call = caller.unary("getRun", { runId: "r" }, bearer(await slow.sign(google)), {
        deadline: Date.now() + 50,
      });
      await expect(call).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
      answer();
      await expect.poll(() => served.log.filter(({ rpc }) => rpc === "GetRun")).toHaveLength(1);
      expect(served.accesses).toEqual([]);
      caller.close();
    } finally {
      await served.server.close(0);
    }
  });
});

describe("what needs no token or shows much", () => {
  it("is as open as with tokens, and metrics to the world are for those admitted", async () => {
    const served = await serveDouble({}, { ...googleConfig(), listen: { host: "0.0.0.0", port: 0 } });
    try {
      const url = `http://127.0.0.1:${served.server.port}`;
      for (const page of ["healthz", "readyz"]) expect((await fetch(`${url}/${page}`)).status).toBe(200);
      const health = await fetch(`${url}/grpc.health.v1.Health/Check`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
      expect(await health.json()).toEqual({ status: "SERVING" });
      const metrics = async (token: string): Promise<number> =>
        (await fetch(`${url}/metrics`, { headers: bearer(token) })).status;
      expect((await fetch(`${url}/metrics`)).status).toBe(401);
      expect(await metrics("nonsense")).toBe(401);
      expect(await metrics(await issuer.sign({ ...google, email: "eve@evil.example" }))).toBe(403);
      expect(await metrics(await issuer.sign(google))).toBe(200);
    } finally {
      await served.server.close(0);
    }
  });

  it("is not the log", async () => {
    const served = await serveDouble({}, googleConfig());
    const caller = new GrpcCaller(served.server.address);
    try {
      const tokens = [await issuer.sign(google), await issuer.sign({ ...google, aud: "other" })];
      for (const token of tokens) await caller.unary("getRun", { runId: "r" }, bearer(token)).catch(() => {});
      expect(served.log.filter(({ rpc }) => rpc === "GetRun")).toHaveLength(2);
      for (const token of tokens) {
        for (const part of token.split(".")) expect(JSON.stringify(served.log)).not.toContain(part);
      }
    } finally {
      caller.close();
      await served.server.close(0);
    }
  });
});

describe("a stream", () => {
  const minute = 60_000;
  let clock: FakeClock;
  beforeEach(() => {
    clock = new FakeClock();
  });

  /** A token that ends in a minute of the test's clock. */
  const minuteToken = (): Promise<string> => issuer.sign({ ...google, exp: clock.now() / 1000 + 60 });

  it.each(["grpc", "connect"])("ends by %s when its token has expired, and the tolerance is over", async (path) => {
    let opened = false;
    const subscribeEvents: Tape["subscribeEvents"] = (_request, options) => {
      opened = true;
      return quiet(options?.signal);
    };
    const served = await serveDouble({ subscribeEvents }, googleConfig(), clock);
    const compressed = { "grpc.default_compression_algorithm": 2 };
    const caller = new GrpcCaller(served.server.address, undefined, path === "grpc" ? {} : compressed);
    try {
      const item = caller.stream("subscribeEvents", {}, bearer(await minuteToken())).next();
      item.catch(() => {});
      await expect.poll(() => opened).toBe(true);
      await clock.advance(minute + 30_000 - 1);
      expect(served.log.filter(({ rpc }) => rpc === "SubscribeEvents")).toEqual([]);
      await clock.advance(1);
      await expect(item).rejects.toMatchObject({
        code: status.UNAUTHENTICATED,
        reason: "CREDENTIALS_EXPIRED",
        message: expect.stringContaining("open it again"),
      });
      expect(clock.sleeping).toBe(0);
    } finally {
      caller.close();
      await served.server.close(0);
    }
  });

  it("of our client goes on with the next token, and skips nothing", async () => {
    const server = await RealServer.open(googleConfig(), clock);
    open.push(server);
    let asked = 0;
    const reader = connectTape(server.url, {
      token: () => {
        asked += 1;
        return minuteToken();
      },
    });
    const agent = connectTape(server.url, { token: minuteToken });
    open.push(agent, reader);
    const { runId } = await agent.beginRun(begin);
    const entries = reader.subscribeRun({ runId })[Symbol.asyncIterator]();
    expect(await entries.next()).toMatchObject({ value: { seq: 1 } });
    const second = entries.next();
    await clock.advance(2 * minute);
    await expect.poll(() => asked).toBe(2);
    await agent.endRun({ runId, status: "TERMINAL" });
    expect(await second).toMatchObject({ value: { seq: 2 } });
    expect(await entries.next()).toMatchObject({ done: true });
    expect(asked).toBe(2);
  });
});

// oxlint-disable-next-line require-yield
async function* quiet(signal: AbortSignal | undefined): AsyncGenerator<never, void, undefined> {
  await new Promise((resolve) => signal?.addEventListener("abort", resolve));
}
