import { userInfo } from "node:os";
import { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { clientConfig, type ClientSeams } from "./client-config.ts";
import { placeOf } from "./open-client.ts";
import { parsePostgresUrl } from "./postgres-url.ts";

const file = (name: string): string => fileURLToPath(new URL(`../../../test/postgres/tls/${name}`, import.meta.url));
const config = (url: string, seams?: ClientSeams) => clientConfig(parsePostgresUrl(url), seams);

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("clientConfig", () => {
  it("says everything, and asks the server to end long statements", async () => {
    const { options, ...rest } = await config("postgres://u:p@db:6543/tape?sslmode=disable");
    expect(rest).toEqual({
      host: "db",
      port: 6543,
      user: "u",
      password: "p",
      database: "tape",
      application_name: "tape",
      client_encoding: "UTF8",
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      sslnegotiation: "postgres",
      ssl: false,
      statement_timeout: 30_000,
      query_timeout: 35_000,
    });
    expect(options).toBe("-c enable_seqscan=off -c jit=off -c plan_cache_mode=force_generic_plan");
  });

  it("puts the user's options last, so that they win", async () => {
    const { options } = await config("postgres://u@db?options=-c%20jit%3Don");
    expect(options).toMatch(/force_generic_plan -c jit=on$/);
  });

  it("sends PgBouncer nothing that it refuses", async () => {
    const behind = await config("postgres://u@db?pgbouncer=true&statement_timeout=100");
    expect(behind).toMatchObject({ options: "", query_timeout: 100 });
    expect(behind).not.toHaveProperty("statement_timeout");
    expect(await config("postgres://u@db?pgbouncer=true&options=-c%20x%3D1")).toHaveProperty("options", "-c x=1");
  });

  it("sets no time-outs for statement_timeout=0", async () => {
    const without = await config("postgres://u@db?statement_timeout=0");
    expect(without).not.toHaveProperty("statement_timeout");
    expect(without).not.toHaveProperty("query_timeout");
  });

  it("has a user: PGUSER's, else the system's", async () => {
    vi.stubEnv("PGUSER", "somebody");
    expect(await config("postgres://db")).toHaveProperty("user", "somebody");
    vi.stubEnv("PGUSER", undefined);
    const { user } = await config("postgres://db");
    // node-postgres has read USER when it was loaded.
    expect([process.env["USER"], userInfo().username]).toContain(user);
  });

  const identity = expect.any(Function);
  it.each([
    ["sslmode=prefer", { rejectUnauthorized: false, checkServerIdentity: identity }],
    ["sslmode=require", { rejectUnauthorized: false, checkServerIdentity: identity }],
    ["sslmode=verify-ca", { rejectUnauthorized: true, checkServerIdentity: identity }],
    ["sslmode=verify-full", { rejectUnauthorized: true }],
    ["sslrootcert=system", { rejectUnauthorized: true }],
  ])("%s", async (parameters, ssl) => {
    expect((await config(`postgres://u@db?${parameters}`)).ssl).toEqual(ssl);
  });

  it("verifies the chain for sslmode=require with an authority, as libpq", async () => {
    const { ssl } = await config(`postgres://u@db?sslmode=require&sslrootcert=${file("authority.pem")}`);
    expect(ssl).toMatchObject({ rejectUnauthorized: true, ca: expect.stringContaining("BEGIN CERTIFICATE") });
  });

  it.each([
    [
      `sslmode=require&sslrootcert=/no/such.pem`,
      'sslrootcert "/no/such.pem" cannot be used: it cannot be read (ENOENT)',
    ],
    [`sslmode=require&sslrootcert=${file("README.md")}`, "no certificate"],
    [`sslcert=${file("server-key.pem")}&sslkey=${file("server-key.pem")}`, "no certificate"],
    [`sslcert=${file("client.pem")}&sslkey=${file("server-key.pem")}`, "not the key of sslcert"],
    [`sslcert=${file("client.pem")}&sslkey=${file("README.md")}`, "not the key of sslcert"],
  ])("refuses %s", async (parameters, why) => {
    await expect(config(`postgres://u@db?${parameters}`)).rejects.toMatchObject({
      reason: "STORE_NOT_USABLE",
      message: expect.stringContaining(why),
    });
  });

  const instance = "projects/p/locations/r/clusters/c/instances/i";

  it("takes socket, token and user from the connector, and no TLS of its own", async () => {
    const access = { stream: () => new Duplex(), password: async () => "token", user: "short" };
    const given = await config(`alloydb://long@/tape?instance=${instance}&iam=true`, { access });
    expect(given).toMatchObject({ ...access, ssl: false });
  });

  it.each([`instance=${instance}`, "host=db&iam=true"])(
    "connects to nothing else when %s and no connector",
    async (parameters) => {
      await expect(config(`alloydb://u@/tape?${parameters}`)).rejects.toMatchObject({ reason: "INTERNAL" });
    },
  );
});

describe("placeOf", () => {
  it.each([
    ["postgres://u:hunter2@db/tape?schema=x", 'database "tape" at db:5432'],
    ["postgres://u@[::1]:1", 'database "u" at [::1]:1'],
    ["postgres://", "the database at localhost:5432"],
    ["postgres:///tape?host=/run", 'database "tape" at /run/.s.PGSQL.5432'],
    [
      `alloydb://u@/tape?instance=projects/p/locations/r/clusters/c/instances/i`,
      'database "tape" at projects/p/locations/r/clusters/c/instances/i',
    ],
  ])("%s", (url, place) => {
    expect(placeOf(parsePostgresUrl(url))).toBe(place);
  });
});
