import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ManualTimers } from "../../test/client/manual-timers.ts";
import { answerJson, LocalIssuer } from "../../test/server/local-issuer.ts";
import { GoogleIdTokens, type GoogleIdTokensOptions } from "./google-id-tokens.ts";
import { eventually } from "../../test/eventually.ts";

const audience = "https://tape.example";
const robot = "agent@acme.iam.gserviceaccount.com";

let issuer: LocalIssuer;
let folder: string;
let now: number;

beforeEach(async () => {
  issuer = await LocalIssuer.open();
  folder = mkdtempSync(join(tmpdir(), "tape-google-"));
  now = Date.now();
  google = {};
  asked = [];
  vi.stubEnv("CLOUDSDK_CONFIG", folder);
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", "");
  vi.stubEnv("METADATA_SERVER_DETECTION", "none");
});

afterEach(async () => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
  await issuer[Symbol.asyncDispose]();
});

/** This process runs on Google Cloud, as far as the library can tell; `answer` says what the machine gives. */
function onGoogleCloud(answer: (request: URL, response: ServerResponse) => void | Promise<void>): void {
  vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
  vi.stubEnv("GCE_METADATA_HOST", issuer.url);
  issuer.behaviour = (request: IncomingMessage, response) => {
    const url = new URL(request.url ?? "", issuer.url);
    response.setHeader("metadata-flavor", "Google");
    if (request.headers["metadata-flavor"] !== "Google") response.writeHead(403).end();
    else void answer(url, response);
  };
}

/** Mints tokens for whatever audience is asked for, for an hour of the test's clock. */
async function mint(url: URL, response: ServerResponse): Promise<void> {
  const claims = {
    aud: url.searchParams.get("audience"),
    exp: Math.floor(now / 1000) + 3600,
    jti: crypto.randomUUID(),
  };
  response.end(await issuer.sign(claims));
}

type Answers = Readonly<Record<string, (body: string) => Promise<object> | object>>;

let google: Answers;
let asked: string[];

// The library takes the `fetch` of a window where there is one, and keeps it: so Google's own servers are here.
vi.stubGlobal("window", {
  fetch: async (url: URL, init: RequestInit): Promise<Response> => {
    if (url.origin === issuer.url) return await fetch(url, { headers: init.headers ?? {} });
    const place = `${url.origin}${url.pathname}`;
    if (url.protocol === "https:") asked.push(place);
    const answer = google[place];
    if (answer === undefined) return new Response("no such place", { status: 404 });
    return Response.json(await answer(bodyText(init.body)));
  },
});

function bodyText(body: RequestInit["body"]): string {
  return body instanceof URLSearchParams ? body.toString() : typeof body === "string" ? body : "";
}

function credentialsFile(json: object): void {
  const file = join(folder, "credentials.json");
  writeFileSync(file, JSON.stringify(json));
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", file);
}

function tokens(options: Partial<GoogleIdTokensOptions> = {}): GoogleIdTokens {
  return new GoogleIdTokens({ audience, now: () => now, ...options });
}

const user = { type: "authorized_user", client_id: "gcloud", client_secret: "s3cret", refresh_token: "r3fresh" };

describe("ID tokens of the machine's service account", () => {
  it("are asked for once, however many calls want one, and kept", async () => {
    const minted: string[] = [];
    onGoogleCloud((url, response) => {
      if (url.pathname.endsWith("/identity")) minted.push(url.search);
      return mint(url, response);
    });
    const source = tokens();
    const given = await Promise.all(Array.from({ length: 1000 }, () => source.token()));
    expect(new Set(given).size).toBe(1);
    expect(await source.token()).toBe(given[0]);
    expect(minted).toEqual([`?format=full&audience=${audience}`]);
  });

  it("are renewed before they expire, and no call waits for that", async () => {
    const held: (() => void)[] = [];
    let hold = false;
    onGoogleCloud(async (url, response) => {
      if (hold) await new Promise<void>((resolve) => held.push(resolve));
      await mint(url, response);
    });
    const source = tokens();
    const first = await source.token();
    hold = true;
    now += 55 * 60_000 - 1000;
    expect(await source.token()).toBe(first);
    expect(held).toEqual([]);
    now += 2000;
    for (let n = 0; n < 100; n++) expect(await source.token()).toBe(first);
    await eventually(() => expect(held).toHaveLength(1));
    held[0]?.();
    await eventually(async () => expect(await source.token()).not.toBe(first));
    expect(held).toHaveLength(1);
  });

  it("serve to their end while no new one comes, which is tried for again, and then nothing is sent", async () => {
    let requests = 0;
    let broken = false;
    onGoogleCloud((url, response) => {
      requests++;
      return broken ? void response.writeHead(404).end() : mint(url, response);
    });
    const source = tokens();
    const endsAt = Math.floor(now / 1000) * 1000 + 3_600_000;
    const first = await source.token();
    broken = true;
    now += 56 * 60_000;
    for (let n = 0; n < 10; n++) expect(await source.token()).toBe(first);
    await eventually(() => expect(requests).toBe(2));
    // The failure has to be through before the next attempt.
    await eventually(async () => {
      now += 10_000;
      expect(await source.token()).toBe(first);
      expect(requests).toBe(3);
    });
    // It might expire on its way.
    now = endsAt - 29_000;
    await expect(source.token()).rejects.toMatchObject({ reason: "CREDENTIALS_MISSING", code: "UNAUTHENTICATED" });
    broken = false;
    expect(await source.token()).not.toBe(first);
  });

  it.each([
    ["another audience", () => issuer.sign({ aud: "https://other.example" }), "no token for https://tape.example"],
    ["no expiry", () => issuer.sign({ exp: undefined }), "has no expiry"],
    ["no token", () => "<html>", "no ID token"],
    ["nothing", () => "", "no ID token"],
  ])("are not sent when what comes has %s", async (_what, make, fault) => {
    onGoogleCloud(async (_url, response) => void response.end(await make()));
    await expect(tokens().token()).rejects.toMatchObject({
      reason: "CREDENTIALS_MISSING",
      message: expect.stringContaining(fault),
    });
  });

  it("are not waited for without end", async () => {
    onGoogleCloud(() => {});
    const timers = new ManualTimers();
    const token = tokens({ timers }).token();
    timers.advance(30_000);
    await expect(token).rejects.toMatchObject({
      reason: "CREDENTIALS_MISSING",
      message: expect.stringContaining("nothing came within 30000 ms"),
    });
  });
});

describe("ID tokens of a key file", () => {
  it("come from Google for a statement signed with the key", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    credentialsFile({
      type: "service_account",
      client_email: robot,
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
    });
    const token = await issuer.sign();
    const bodies: string[] = [];
    google = {
      "https://oauth2.googleapis.com/token": (body) => {
        bodies.push(body);
        return { id_token: token };
      },
    };
    expect(await tokens().token()).toBe(token);
    expect(asked).toEqual(["https://oauth2.googleapis.com/token"]);
    const assertion = new URLSearchParams(bodies[0]).get("assertion") ?? "";
    const said: unknown = JSON.parse(Buffer.from(assertion.split(".")[1] ?? "", "base64url").toString());
    expect(said).toMatchObject({ iss: robot, target_audience: audience });
  });
});

describe("ID tokens of a person who acts as a service account", () => {
  it("come from IAM, with the e-mail in them", async () => {
    credentialsFile({
      type: "impersonated_service_account",
      source_credentials: user,
      service_account_impersonation_url: `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${robot}:generateAccessToken`,
    });
    const token = await issuer.sign();
    const mintUrl = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${robot}:generateIdToken`;
    const bodies: unknown[] = [];
    google = {
      "https://oauth2.googleapis.com/token": () => ({ access_token: "ya29", expires_in: 3600, token_type: "Bearer" }),
      [mintUrl]: (body) => {
        bodies.push(JSON.parse(body));
        return { token };
      },
    };
    expect(await tokens().token()).toBe(token);
    expect(asked).toContain(mintUrl);
    expect(bodies).toEqual([expect.objectContaining({ audience, includeEmail: true })]);
  });
});

describe("no ID token", () => {
  const impersonate = "gcloud auth application-default login --impersonate-service-account";

  it("comes for a person, whose credentials are not even sent", async () => {
    credentialsFile(user);
    await expect(tokens().token()).rejects.toMatchObject({
      reason: "CREDENTIALS_MISSING",
      code: "UNAUTHENTICATED",
      message: expect.stringContaining(impersonate),
    });
    expect(asked).toEqual([]);
  });

  it("comes without credentials, and the message says where to get them", async () => {
    await expect(tokens().token()).rejects.toMatchObject({
      reason: "CREDENTIALS_MISSING",
      message: expect.stringMatching(/GOOGLE_APPLICATION_CREDENTIALS.*--impersonate-service-account/),
    });
  });

  it("comes of credentials that Google refuses, of which nothing is said on", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = privateKey.export({ type: "pkcs8", format: "pem" });
    credentialsFile({ type: "service_account", client_email: robot, private_key: key });
    const error: unknown = await tokens()
      .token()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: "CREDENTIALS_MISSING" });
    expect(error).not.toHaveProperty("cause");
    expect(asked).toEqual(["https://oauth2.googleapis.com/token"]);
    expect(String(error)).not.toContain("assertion");
  });

  it("comes without the library, and the message says how to install it", async () => {
    const load = (): Promise<never> => Promise.reject(new Error("Cannot find package"));
    await expect(tokens({ load }).token()).rejects.toMatchObject({
      reason: "CREDENTIALS_MISSING",
      message: expect.stringContaining("npm install google-auth-library"),
    });
  });

  it("comes of credentials that cannot choose an audience", async () => {
    class GoogleAuth {
      getClient = (): Promise<object> => Promise.resolve({ getAccessToken: () => "ya29" });
    }
    const load = (): Promise<object> => Promise.resolve({ GoogleAuth, UserRefreshClient: Map });
    const source = tokens({ load: load as GoogleIdTokensOptions["load"] & {} });
    await expect(source.token()).rejects.toMatchObject({ message: expect.stringContaining(impersonate) });
  });

  it("stays so: credentials that come later are found", async () => {
    const source = tokens();
    await expect(source.token()).rejects.toMatchObject({ reason: "CREDENTIALS_MISSING" });
    onGoogleCloud((_url, response) => answerJson(response, {}, 500));
    onGoogleCloud(mint);
    expect((await source.token()).split(".")).toHaveLength(3);
  });
});
