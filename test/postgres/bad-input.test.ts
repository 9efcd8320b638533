import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TapeError } from "../../src/errors.ts";
import { openClient } from "../../src/store/postgres/open-client.ts";
import { postgresFailure } from "../../src/store/postgres/postgres-failure.ts";
import { parsePostgresUrl } from "../../src/store/postgres/postgres-url.ts";
import { startPostgres, type PostgresServer } from "./postgres-server.ts";
import { describePostgres } from "./shared-server.ts";
import { smallDisk } from "./small-disk.ts";

const secret = "hunter2";
const hba = `
host  all needs_password 127.0.0.1/32 scram-sha-256
host  all refused        127.0.0.1/32 reject
host  all all            127.0.0.1/32 trust
local all all                         trust
`;

/** Loopback, and nobody there: a port that was just given back. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

describePostgres("bad input", () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres({ hba });
    await ask(server.url(), "create role needs_password login password 'right'");
    await ask(server.url(), "create role refused login");
    await ask(server.url(), "create database only_reads");
    await ask(server.url(), "alter database only_reads set default_transaction_read_only = on");
  });
  afterAll(() => server.stop());

  /** Opens, runs a statement that changes something or nothing, closes. */
  async function ask(url: string, statement: string): Promise<unknown> {
    const client = await openClient(parsePostgresUrl(url));
    try {
      const { rows } = await client.query<Record<string, unknown>>(statement);
      return rows.at(0);
    } catch (error) {
      throw postgresFailure(error, "writing");
    } finally {
      await client.end();
    }
  }

  /** One clear line, and nothing of the password in anything that could be printed. */
  async function refusal(url: string, statement = "select 1"): Promise<TapeError> {
    const error: unknown = await ask(url, statement).catch((caught: unknown) => caught);
    if (!(error instanceof TapeError)) throw new TypeError(`not refused: ${inspect(error)}`);
    expect(error.message).not.toMatch(/\p{Cc}/u);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
    return error;
  }

  const at = (port: number, more = "", user = `postgres:${secret}`, database = "postgres"): string =>
    `postgres://${user}@127.0.0.1:${port}/${database}${more}`;

  it("a wrong password", async () => {
    const error = await refusal(at(server.port, "", `needs_password:${secret}`));
    expect(error.reason).toBe("STORE_NOT_USABLE");
    expect(error.message).toContain('"postgres" at 127.0.0.1');
    expect(error.message).toContain("check both in the store URL");
  });

  it("no password", async () => {
    const error = await refusal(at(server.port, "", "needs_password"));
    expect(error.reason).toBe("STORE_NOT_USABLE");
    expect(error.message).toContain("PGPASSWORD");
  });

  it("a login that pg_hba.conf rejects", async () => {
    const error = await refusal(at(server.port, "", `refused:${secret}`));
    expect(error.reason).toBe("STORE_NOT_USABLE");
    expect(error.message).toContain("pg_hba.conf");
  });

  it("a wrong database", async () => {
    const error = await refusal(at(server.port, "", `postgres:${secret}`, "nowhere"));
    expect(error.reason).toBe("STORE_NOT_USABLE");
    expect(error.message).toContain('database "nowhere" does not exist; create it');
  });

  it("no such host", async () => {
    const error = await refusal(`postgres://u:${secret}@no-such-host.invalid/tape?connect_timeout=10`);
    // Without any network the name server cannot be asked, and says that instead.
    expect(error.message).toMatch(/there is no such host|cannot be resolved now/);
  });

  it("nothing listening", async () => {
    const error = await refusal(at(await freePort()));
    expect(error.reason).toBe("STORE_UNAVAILABLE");
    expect(error.message).toContain("nothing listens there; start the server");
  });

  it("no socket in the folder", async () => {
    const error = await refusal(`postgres://postgres:${secret}@/postgres?host=/no/such/folder`);
    expect(error.reason).toBe("STORE_UNAVAILABLE");
    expect(error.message).toContain("no such socket");
  });

  it("something listening that is not PostgreSQL", async () => {
    const other = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await new Promise<void>((resolve) => {
      other.listen(0, "127.0.0.1", resolve);
    });
    try {
      const error = await refusal(at((other.address() as AddressInfo).port));
      expect(error.message).toContain("not PostgreSQL");
    } finally {
      other.close();
    }
  });

  it("something that accepts and says nothing: the connection is given up in time, and closed", async () => {
    const silent = createServer();
    const closed = new Promise((resolve) => {
      silent.on("connection", (socket) => socket.on("close", resolve).resume());
    });
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    try {
      const target = parsePostgresUrl(at((silent.address() as AddressInfo).port));
      await expect(openClient({ ...target, connectTimeoutMs: 50 })).rejects.toMatchObject({
        reason: "STORE_UNAVAILABLE",
        message: expect.stringContaining("no answer came in time"),
      });
      await closed;
    } finally {
      silent.close();
    }
  });

  it("TLS demanded and not offered", async () => {
    const error = await refusal(at(server.port, "?sslmode=require"));
    expect(error.reason).toBe("STORE_NOT_USABLE");
    expect(error.message).toContain("the server offers no TLS; switch it on there");
  });

  it("a certificate file that is not there, and one that is none", async () => {
    const file = (path: string): string =>
      at(server.port, `?sslmode=verify-full&sslrootcert=${encodeURIComponent(path)}`);
    const missing = await refusal(file("/no/such/file.pem"));
    expect(missing.message).toContain('sslrootcert "/no/such/file.pem" cannot be used: it cannot be read (ENOENT)');
    const other = await refusal(file(fileURLToPath(import.meta.url)));
    expect(other.message).toContain("no certificate in PEM form");
  });

  it("an option the server does not know", async () => {
    const error = await refusal(at(server.port, "?options=-c%20nonsense%3D1"));
    expect(error.reason).toBe("STORE_NOT_USABLE");
    expect(error.message).toContain('parameter "nonsense"); check options');
  });

  it("a database that only takes reads", async () => {
    const error = await refusal(at(server.port, "", `postgres:${secret}`, "only_reads"), "create table t (n int)");
    expect(error.message).toContain("the server only takes reads");
  });

  it("a role that may not create tables", async () => {
    await ask(server.url(), "create role reader login");
    await ask(server.url(), "revoke create on schema public from public");
    const error = await refusal(at(server.port, "", "reader"), "create table t (n int)");
    expect(error.message).toContain("permission denied for schema public; grant");
  });

  it("a statement that takes too long", async () => {
    const error = await refusal(at(server.port, "?statement_timeout=20"), "select pg_sleep(10)");
    expect(error.reason).toBe("STORE_UNAVAILABLE");
    expect(error.message).toContain("raise statement_timeout in the store URL");
  });

  it("values and rows that the server quotes", async () => {
    expect((await refusal(server.url(), `select '${secret}'::int`)).message).toContain("SQLSTATE 22P02");
    await ask(server.url(), "create table t (k text primary key)");
    await ask(server.url(), `insert into t values ('${secret}')`);
    expect((await refusal(server.url(), `insert into t values ('${secret}')`)).message).toContain("SQLSTATE 23505");
  });

  it("a full disk", async ({ skip }) => {
    const disk = await smallDisk(8, server.dataFolder).catch(() => undefined);
    if (disk === undefined) {
      skip("this user may not mount a small disk; run the tests as root to see what a full one does");
      return;
    }
    try {
      await ask(server.url(), `create tablespace small location '${disk.folder}'`);
      await ask(server.url(), "create table grows (bytes text) tablespace small");
      // Random, so that it cannot be compressed away.
      const fill = "insert into grows select md5(random()::text) from generate_series(1, 1000000)";
      const error = await refusal(server.url(), fill);
      expect(error.reason).toBe("STORE_UNAVAILABLE");
      expect(error.message).toContain("the server's disk is full; make room on it");
      await ask(server.url(), "drop table grows");
      await ask(server.url(), "drop tablespace small");
    } finally {
      await disk.remove();
    }
  });
});
