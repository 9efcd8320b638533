import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { certificateAuthority } from "../../../../test/postgres/alloydb/certificate-authority.ts";
import { fakeAlloydbApi, instance, type FakeAlloydbApi } from "../../../../test/postgres/alloydb/fake-alloydb-api.ts";
import { fakeTokens } from "../../../../test/postgres/alloydb/fake-tokens.ts";
import { endpointFetcher, type EndpointApi } from "./endpoint.ts";
import { parseInstanceName } from "./instance-name.ts";
import { apiScope } from "./token-source.ts";

const authority = certificateAuthority("cluster");
const tokens = fakeTokens("login-token");
let api: FakeAlloydbApi;

beforeAll(async () => {
  api = await fakeAlloydbApi(authority);
});
afterAll(() => api.close());
beforeEach(() => {
  api.requests.length = 0;
  api.failure = undefined;
  api.info = { ipAddress: "10.0.0.7", publicIpAddress: "203.0.113.7", instanceUid: "uid" };
  api.caCert = authority.certificate;
  tokens.forgotten.length = 0;
  tokens.quotaProject = undefined;
});

function fetcher(changes: Partial<EndpointApi> = {}): ReturnType<typeof endpointFetcher> {
  const options: EndpointApi = {
    name: parseInstanceName(instance),
    ip: "private",
    tokens,
    fetch,
    apiUrl: api.url,
    userAgent: "tape-journal",
    timeoutMs: 10_000,
    now: () => 5,
    closing: new AbortController().signal,
    ...changes,
  };
  return endpointFetcher(options);
}

const info = (reason: string, metadata: object = {}): object => ({
  "@type": "type.googleapis.com/google.rpc.ErrorInfo",
  reason,
  domain: "googleapis.com",
  metadata,
});
const failure = (status: number, message: string, ...details: object[]): FakeAlloydbApi["failure"] => ({
  status,
  body: JSON.stringify({ error: { code: status, message, details } }),
});

describe("fetching an endpoint", () => {
  it("asks for the address and a certificate for one key pair", async () => {
    tokens.quotaProject = "billed";
    const fetchEndpoint = fetcher();
    const endpoint = await fetchEndpoint();
    expect(endpoint).toMatchObject({ address: "10.0.0.7", fetchedAt: 5 });
    expect(endpoint.expiresAt).toBe(Math.floor(endpoint.expiresAt / 1000) * 1000);
    expect(Math.abs(endpoint.expiresAt - Date.now() - 3_600_000)).toBeLessThan(60_000);
    await fetchEndpoint();
    const bodies = api.requests.flatMap(({ body }) => (body === undefined ? [] : [body]));
    expect(bodies[0]).toEqual({
      publicKey: expect.stringMatching(/^-----BEGIN PUBLIC KEY-----/),
      certDuration: "3600s",
      useMetadataExchange: true,
    });
    expect(bodies[1]).toEqual(bodies[0]);
    expect(api.requests).toHaveLength(4);
    for (const { headers } of api.requests) {
      expect(headers).toMatchObject({ authorization: "Bearer api-token", "x-goog-user-project": "billed" });
    }
  });

  it("takes the address that was asked for", async () => {
    expect(await fetcher({ ip: "public" })()).toMatchObject({ address: "203.0.113.7" });
    api.info = { ipAddress: "10.0.0.7" };
    await expect(fetcher({ ip: "public" })()).rejects.toMatchObject({
      reason: "STORE_NOT_USABLE",
      message: `AlloyDB instance ${instance} has no public IP address; give it one, or write ip=private in the URL`,
    });
  });

  it.each([
    [
      "API not enabled",
      failure(403, "x", info("SERVICE_DISABLED", { consumer: "projects/42" })),
      "enable alloydb.googleapis.com --project=42",
    ],
    [
      "permission missing",
      failure(403, "x", info("IAM_PERMISSION_DENIED", { permission: "alloydb.instances.connect" })),
      "permission alloydb.instances.connect is missing; grant the principal roles/alloydb.client",
    ],
    [
      "project not usable",
      failure(403, "x", info("USER_PROJECT_DENIED")),
      "grant roles/serviceusage.serviceUsageConsumer",
    ],
    ["scope missing", failure(403, "x", info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")), "lack the scope cloud-platform"],
    ["no such instance", failure(404, "Resource was not found"), "check instance= in the URL"],
    ["bad request", failure(400, "two\nlines"), "refused the request: two lines"],
    ["refusal without JSON", { status: 403, body: "<html>" } as const, "HTTP status 403; grant the principal"],
  ])("says what to do: %s", async (_, refusal, text) => {
    api.failure = refusal;
    await expect(fetcher()()).rejects.toMatchObject({
      reason: "STORE_NOT_USABLE",
      message: expect.stringContaining(text),
    });
    expect(tokens.forgotten).toEqual([]);
  });

  it("asks for a new token after one was refused", async () => {
    api.failure = failure(401, "Request had invalid authentication credentials.");
    await expect(fetcher()()).rejects.toMatchObject({ message: expect.stringContaining("refused the access token") });
    expect(tokens.forgotten).toContain(apiScope);
  });

  it.each([
    ["quota", failure(429, "slow down"), "quota"],
    ["outage", { status: 503, body: "" } as const, "HTTP status 503"],
  ])("takes for passing: %s", async (_, refusal, text) => {
    api.failure = refusal;
    await expect(fetcher()()).rejects.toMatchObject({
      reason: "STORE_UNAVAILABLE",
      message: expect.stringContaining(text),
    });
  });

  it.each([
    ["no JSON", "<html>", "no JSON"],
    ["an empty object", "{}", "has no private IP address"],
    [
      "certificates that are none",
      JSON.stringify({ ipAddress: "10.0.0.7", pemCertificateChain: ["x"], caCert: "y" }),
      "cannot be read",
    ],
    ["no certificates", JSON.stringify({ ipAddress: "10.0.0.7", pemCertificateChain: [] }), "lacks certificates"],
  ])("refuses an answer with %s", async (_, body, text) => {
    api.failure = { status: 200, body };
    await expect(fetcher()()).rejects.toMatchObject({ message: expect.stringContaining(text) });
  });

  it("does not wait without end", async () => {
    api.failure = "hang";
    await expect(fetcher({ timeoutMs: 20 })()).rejects.toMatchObject({
      reason: "STORE_UNAVAILABLE",
      message: expect.stringContaining("gave no answer within 20 ms"),
    });
  });

  it("says when the API cannot be reached", async () => {
    await expect(fetcher({ apiUrl: "http://127.0.0.1:1" })()).rejects.toMatchObject({
      reason: "STORE_UNAVAILABLE",
      message: expect.stringMatching(/127\.0\.0\.1:1 cannot be reached \(.+\); check the network/),
    });
  });

  it("ends when the store closes", async () => {
    api.failure = "hang";
    const closing = new AbortController();
    const fetched = fetcher({ closing: closing.signal })();
    closing.abort();
    await expect(fetched).rejects.toMatchObject({ reason: "SHUTTING_DOWN" });
  });
});

describe("the name of an instance", () => {
  it("has four parts, and may be of a project with a domain", () => {
    const long = "projects/example.com:shop/locations/r/clusters/c/instances/i";
    expect(parseInstanceName(long)).toEqual({
      project: "example.com:shop",
      cluster: "projects/example.com:shop/locations/r/clusters/c",
      instance: long,
    });
  });

  it.each([
    "",
    "primary",
    `${instance}/`,
    `/${instance}`,
    `${instance}?x`,
    "projects/../locations/r/clusters/c/instances/i",
  ])("is not %j", (text) => {
    expect(() => parseInstanceName(text)).toThrow("names no AlloyDB instance");
  });
});
