import { chown, chmod, copyFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openClient, poolConfig } from "../../src/store/postgres/open-client.ts";
import { parsePostgresUrl } from "../../src/store/postgres/postgres-url.ts";
import { startPostgres, type PostgresServer } from "./postgres-server.ts";
import { describePostgres } from "./shared-server.ts";

const file = (name: string): string => fileURLToPath(new URL(`tls/${name}`, import.meta.url));
const otherAuthority = fileURLToPath(new URL("../server/tls/cert.pem", import.meta.url));

const serverFiles = ["authority.pem", "server.pem", "server-key.pem"];

/** The server wants its key for itself alone. */
async function copyCertificates(dataFolder: string): Promise<void> {
  const { uid, gid } = await stat(dataFolder);
  for (const name of serverFiles) {
    const copy = join(dataFolder, name);
    await copyFile(file(name), copy);
    await chmod(copy, 0o600);
    await chown(copy, uid, gid);
  }
}

const ssl = { ssl: "on", ssl_cert_file: "server.pem", ssl_key_file: "server-key.pem", ssl_ca_file: "authority.pem" };
const hba = `
hostssl all cert_user all cert
host    all all       all trust
local   all all           trust
`;

describePostgres("TLS", () => {
  const running: PostgresServer[] = [];
  let withTls: PostgresServer;
  let without: PostgresServer;

  beforeAll(async () => {
    withTls = await startPostgres({ settings: ssl, hba, prepare: copyCertificates });
    running.push(withTls);
    without = await startPostgres({ settings: { ssl: "off" } });
    running.push(without);
    await query(withTls.url(), "create role cert_user login");
  });
  afterAll(async () => {
    await Promise.all(running.map((server) => server.stop()));
  });

  const query = async (url: string, statement: string): Promise<unknown> => {
    const client = await openClient(parsePostgresUrl(url));
    try {
      const { rows } = await client.query<Record<string, unknown>>(statement);
      return rows.at(0);
    } finally {
      await client.end();
    }
  };
  const session = "select ssl, current_user as who from pg_stat_ssl where pid = pg_backend_pid()";

  const urlOf = (server: PostgresServer, parameters: string, host = "127.0.0.1", user = "postgres"): string =>
    `postgres://${user}@${host}:${server.port}/postgres?${parameters}`;

  const authority = `sslrootcert=${encodeURIComponent(file("authority.pem"))}`;

  it.each([
    ["", "127.0.0.1"],
    ["sslmode=prefer", "127.0.0.1"],
    ["sslmode=require", "127.0.0.1"],
    [`sslmode=require&${authority}`, "127.0.0.1"],
    [`sslmode=verify-ca&${authority}`, "127.0.0.1"],
    [`sslmode=verify-full&${authority}`, "127.0.0.1"],
    [`sslmode=verify-full&${authority}`, "localhost"],
  ])("%s to %s is encrypted", async (parameters, host) => {
    expect(await query(urlOf(withTls, parameters, host), session)).toMatchObject({ ssl: true });
  });

  it("sslmode=disable is not, though the server could", async () => {
    expect(await query(urlOf(withTls, "sslmode=disable"), session)).toMatchObject({ ssl: false });
  });

  it("a Unix socket is not", async () => {
    const url = `postgres://postgres@/postgres?host=${encodeURIComponent(withTls.socketFolder)}&port=${withTls.port}`;
    expect(await query(url, session)).toMatchObject({ ssl: false });
  });

  it("sslmode=prefer does without where there is none, and a pool holds to what was found", async () => {
    expect(await query(urlOf(without, ""), session)).toMatchObject({ ssl: false });
    expect(await poolConfig(parsePostgresUrl(urlOf(without, "pool_size=3")))).toMatchObject({ ssl: false, max: 3 });
    expect(await poolConfig(parsePostgresUrl(urlOf(withTls, "")))).toMatchObject({
      ssl: { rejectUnauthorized: false },
    });
  });

  const other = `sslrootcert=${encodeURIComponent(otherAuthority)}`;
  it.each([
    ["sslmode=verify-ca", "an authority that is trusted"],
    ["sslmode=verify-full", "an authority that is trusted"],
    ["sslrootcert=system", "an authority that is trusted"],
    [`sslmode=require&${other}`, "an authority that is trusted"],
    [`sslmode=verify-ca&${other}`, "an authority that is trusted"],
    [`sslmode=verify-full&${other}`, "an authority that is trusted"],
  ])("%s refuses a certificate of another authority", async (parameters, why) => {
    await expect(query(urlOf(withTls, parameters), session)).rejects.toMatchObject({
      reason: "STORE_NOT_USABLE",
      message: expect.stringContaining(why),
    });
  });

  it.each(["require", "verify-ca", "verify-full"])("sslmode=%s refuses a server without TLS", async (mode) => {
    await expect(query(urlOf(without, `sslmode=${mode}`), session)).rejects.toMatchObject({
      reason: "STORE_NOT_USABLE",
      message: expect.stringContaining("the server offers no TLS"),
    });
  });

  it("a client certificate logs in, and only it", async () => {
    const pair = (certificate: string, key: string): string =>
      `sslmode=require&sslcert=${encodeURIComponent(certificate)}&sslkey=${encodeURIComponent(key)}`;
    const as = (parameters: string): string => urlOf(withTls, parameters, "127.0.0.1", "cert_user");
    const right = pair(file("client.pem"), file("client-key.pem"));
    expect(await query(as(right), session)).toEqual({ ssl: true, who: "cert_user" });
    await expect(query(as("sslmode=require"), session)).rejects.toMatchObject({
      reason: "STORE_NOT_USABLE",
      message: expect.stringContaining("refuses this login"),
    });
    const foreign = pair(otherAuthority, fileURLToPath(new URL("../server/tls/key.pem", import.meta.url)));
    await expect(query(as(foreign), session)).rejects.toMatchObject({
      reason: "STORE_NOT_USABLE",
      message: expect.stringMatching(/TLS failed \(.*unknown ca\)/),
    });
  });

  // Last: from here on the server shows other certificates.
  it.each([
    ["elsewhere.pem", "is for another name", "accepted"],
    ["expired.pem", "has expired", "refused"],
  ])("%s %s: verify-full refuses, to verify-ca it is %s", async (certificate, why, toVerifyCa) => {
    await copyFile(file(certificate), join(withTls.dataFolder, "server.pem"));
    await query(withTls.url(), "select pg_reload_conf()");
    const refused = (mode: string): Promise<string> =>
      query(urlOf(withTls, `sslmode=${mode}&${authority}`), session).then(() => "accepted", String);
    // A reload takes effect in the server's main process a moment after the call.
    await expect.poll(() => refused("verify-full")).toContain(why);
    expect(await refused("verify-ca")).toContain(toVerifyCa === "accepted" ? toVerifyCa : why);
    expect(await query(urlOf(withTls, "sslmode=require"), session)).toMatchObject({ ssl: true });
  });
});
