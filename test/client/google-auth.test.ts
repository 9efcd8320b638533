import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { connectTape as connectFromBrowser } from "../../src/client/browser.ts";
import type { ClientOptions } from "../../src/client/client-options.ts";
import { connectTape } from "../../src/client/connect-tape.ts";
import { googleIssuer } from "../../src/server/id-token/trusted-issuer.ts";
import { tape as runTape } from "../cli/run-in-process.ts";
import { LocalIssuer, makeKey } from "../server/local-issuer.ts";
import { RealServer } from "./real-server.ts";
import { budget, Stage } from "./stub-client.ts";

const robot = "agent@acme.iam.gserviceaccount.com";

let stage: Stage;
let issuer: LocalIssuer;
let minted: number;

/** A machine of Google's with a service account, whose metadata server is here. */
beforeEach(async () => {
  stage = new Stage();
  issuer = stage.keep(await LocalIssuer.open(await makeKey("RS256", "rsa-1")));
  minted = 0;
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", "");
  vi.stubEnv("CLOUDSDK_CONFIG", "/nowhere");
  vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
  vi.stubEnv("GCE_METADATA_HOST", issuer.url);
  issuer.behaviour = (request, response) => {
    const url = new URL(request.url ?? "", issuer.url);
    if (url.pathname === "/keys") {
      response.end(JSON.stringify({ keys: issuer.keys.map(({ publicJwk }) => publicJwk) }));
      return;
    }
    minted += 1;
    const aud = url.searchParams.get("audience");
    const claims = { iss: googleIssuer.names[0], aud, email: robot, email_verified: true };
    response.setHeader("metadata-flavor", "Google");
    void issuer.sign(claims).then((token) => response.end(token));
  };
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await stage[Symbol.asyncDispose]();
});

async function serve(audiences: readonly string[]): Promise<RealServer> {
  return stage.keep(
    await RealServer.open({
      auth: "google",
      idTokens: {
        issuer: { ...googleIssuer, jwksUrl: issuer.jwksUrl },
        audiences,
        rules: [{ tenant: "acme", scopes: ["refunds"], emails: [robot] }],
      },
    }),
  );
}

test("a client on Google Cloud and a server get along without a secret, for a thousand calls by one token", async () => {
  const server = await serve(["https://tape.example"]);
  const tape = stage.keep(connectTape(server.url, { auth: "google", audience: "https://tape.example" }));
  const calls = Array.from({ length: 1000 }, (_, n) => tape.beginRun({ appName: "a", invocationId: `${n}` }));
  await Promise.all(calls);
  expect(minted).toBe(1);
  const { runId } = await tape.beginRun({ appName: "a", invocationId: "1" });
  expect(await tape.getRun({ runId })).toMatchObject({ tenantId: "acme" });
});

test("what a token is for is the server's own URL, unless said otherwise", async () => {
  const server = await serve([]);
  const url = server.url.replace("tape:", "http:");
  await expect(stage.keep(connectTape(server.url, { auth: "google" })).getRun({ runId: "r" })).rejects.toMatchObject({
    reason: "CREDENTIALS_INVALID",
  });
  expect(issuer.requests.find((path) => path.includes("identity"))).toContain(`audience=${url}`);
});

test("the command does so too, by flag or environment, and a token goes before", async () => {
  const server = await serve(["https://tape.example"]);
  const env = { TAPE_SERVER: server.url, TAPE_CLIENT_AUDIENCE: "https://tape.example" };
  expect(await runTape(["show", "r", "--auth", "google"], { env })).toMatchObject({ code: 1 });
  const byEnv = { ...env, TAPE_CLIENT_AUTH: "google" };
  expect(await runTape(["show", "r"], { env: byEnv })).toMatchObject({ code: 1 });
  expect(minted).toBe(2);
  expect(await runTape(["show", "r"], { env: { ...byEnv, TAPE_TOKEN: "x" } })).toMatchObject({ code: 77 });
  expect(minted).toBe(2);
});

test("the token goes in two headers, of which Cloud Run takes one", async () => {
  const server = await stage.server(() => budget);
  await stage.client(server, { auth: "google" }).chargeBudget({ runId: "r" });
  const { authorization, "x-serverless-authorization": second } = server.calls[0]?.headers ?? {};
  expect(authorization).toMatch(/^Bearer ey/);
  expect(second).toBe(authorization);
});

test("a call is not sent without its token", async () => {
  const server = await stage.server(() => budget);
  issuer.behaviour = (_request, response) => response.writeHead(404).end();
  await expect(stage.client(server, { auth: "google" }).chargeBudget({ runId: "r" })).rejects.toMatchObject({
    reason: "CREDENTIALS_MISSING",
    code: "UNAUTHENTICATED",
  });
  expect(server.calls).toEqual([]);
});

test.each<[string, typeof connectTape, string, ClientOptions, string]>([
  ["in plain text", connectTape, "tape://tape.example", {}, "use tapes://"],
  ["in plain text to a name that ends like this machine's", connectTape, "tape://notlocalhost", {}, "use tapes://"],
  ["in plain text to a name that begins like it", connectTape, "tape://127.0.0.1.example", {}, "use tapes://"],
  ["beside a token", connectTape, "tapes://tape.example", { token: "x" }, "give one of them"],
  ["for what no URL can be", connectTape, "tapes://tape.example", { audience: "a\nb" }, "visible ASCII"],
  ["by a page", connectFromBrowser, "tapes://tape.example", {}, "in a browser"],
])("no token is sent %s", (_what, connect, url, options, fault) => {
  expect(() => connect(url, { auth: "google", ...options })).toThrowError(
    expect.objectContaining({ reason: "ARGUMENT_INVALID", message: expect.stringContaining(fault) }),
  );
});

test.each(["tapes://tape.example", "tape://127.0.0.1:7878", "tape://[::1]:7878", "tape://localhost"])(
  "%s is private enough",
  async (url) => {
    await expect(connectTape(url, { auth: "google" }).close()).resolves.toBeUndefined();
  },
);
