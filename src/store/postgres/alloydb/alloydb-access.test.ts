import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Client, Pool, type ClientConfig } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { certificateAuthority } from "../../../../test/postgres/alloydb/certificate-authority.ts";
import { fakeAlloydbApi, instance, type FakeAlloydbApi } from "../../../../test/postgres/alloydb/fake-alloydb-api.ts";
import { encode, fakeConnector, type FakeConnector } from "../../../../test/postgres/alloydb/fake-connector.ts";
import { fakeTokens, type FakeTokens } from "../../../../test/postgres/alloydb/fake-tokens.ts";
import { startPostgres, type PostgresServer } from "../../../../test/postgres/postgres-server.ts";
import { describePostgres } from "../../../../test/postgres/shared-server.ts";
import { alloydbAccess, type AlloydbAccess, type AlloydbRoute, type AlloydbSeams } from "./alloydb-access.ts";
import { loginScope } from "./token-source.ts";

const principal = "tape@shop.iam";
const authority = certificateAuthority("cluster");
const minute = 60_000;

let postgres: PostgresServer;
let api: FakeAlloydbApi;
let connector: FakeConnector;
let tokens: FakeTokens;
let clock: number;
const opened: { close(): Promise<unknown> }[] = [];

async function asDatabaseAdmin(sql: string): Promise<void> {
  const client = new Client({ host: "127.0.0.1", port: postgres.port, user: "postgres", database: "postgres" });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function access(route: Partial<AlloydbRoute> = {}, seams: AlloydbSeams = {}): Promise<AlloydbAccess> {
  const target: AlloydbRoute = { instance, iam: true, ip: "private", user: principal, host: "", ...route };
  const made = await alloydbAccess(target, {
    tokens,
    apiUrl: api.url,
    port: connector.port,
    now: () => clock,
    ...seams,
  });
  opened.push(made);
  return made;
}

function config({ stream, password, user }: AlloydbAccess): ClientConfig {
  return {
    database: "postgres",
    ssl: false,
    ...(stream === undefined ? {} : { stream }),
    ...(password === undefined ? {} : { password }),
    ...(user === undefined ? {} : { user }),
  };
}

async function connected(way: AlloydbAccess, more: ClientConfig = {}): Promise<Client> {
  const client = new Client({ ...config(way), ...more });
  client.on("error", () => undefined);
  opened.push({ close: () => client.end() });
  await client.connect();
  return client;
}

/** Connecting has failed with this. */
async function failure(way: AlloydbAccess, more: ClientConfig = {}): Promise<unknown> {
  return await connected(way, more).then(
    () => "connected",
    (error: unknown) => error,
  );
}

describePostgres("AlloyDB", () => {
  beforeAll(async () => {
    // The database itself checks the token, as a password.
    postgres = await startPostgres({
      hba: "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 password\n",
    });
    await asDatabaseAdmin(`create role "${principal}" login`);
  });
  afterAll(() => postgres.stop());

  beforeEach(async () => {
    await asDatabaseAdmin(`alter role "${principal}" password 'token-1'`);
    api = await fakeAlloydbApi(authority);
    connector = await fakeConnector(authority, { host: "127.0.0.1", port: postgres.port });
    tokens = fakeTokens("token-1");
    clock = Date.now();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
    await Promise.all([api.close(), connector.close()]);
  });

  describe("AlloyDB without a proxy", () => {
    it("runs queries through TLS, the metadata exchange and the token as password", async () => {
      const client = await connected(await access());
      const { rows } = await client.query("select current_user as me, $1::int + 1 as sum", [41]);
      expect(rows).toEqual([{ me: principal, sum: 42 }]);
      expect(connector.exchanges).toEqual([{ userAgent: "tape-journal", authType: 2, token: "token-1" }]);
      expect(tokens.asked).toContain(loginScope);
      await client.end();
    });

    it("logs in with a password of the database when iam is off", async () => {
      const client = await connected(await access({ iam: false }), { user: principal, password: "token-1" });
      expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
      expect(connector.exchanges).toMatchObject([{ authType: 1, token: "token-1" }]);
    });

    it("calls a service account as AlloyDB does", async () => {
      const client = await connected(await access({ user: `${principal}.gserviceaccount.com` }));
      expect((await client.query("select current_user as me")).rows).toEqual([{ me: principal }]);
    });

    it("moves results and statements larger than every buffer, unchanged", async () => {
      const client = await connected(await access());
      const bytes = randomBytes(24 * 1024 * 1024);
      const { rows } = await client.query("select $1::bytea as back", [bytes]);
      expect(bytes.equals(rows[0].back)).toBe(true);
      const many = await client.query("select i, repeat('x', 400) as text from generate_series(1, 50000) i");
      expect(many.rows.at(-1)).toEqual({ i: 50_000, text: "x".repeat(400) });
    });

    it("serves a pool: one certificate and one key for many connections at once", async () => {
      const pool = new Pool({ ...config(await access()), max: 8 });
      const numbers = Array.from({ length: 40 }, (_, index) => index);
      const sums = await Promise.all(numbers.map((n) => pool.query<{ sum: number }>("select $1::int + 1 as sum", [n])));
      expect(sums.flatMap(({ rows }) => rows)).toEqual(numbers.map((n) => ({ sum: n + 1 })));
      await pool.end();
      expect(api.issued).toBe(1);
      expect(new Set(connector.clients).size).toBe(1);
    });

    it("tells when a connection is cut, and makes a new one", async () => {
      const way = await access();
      const client = await connected(way);
      const running = client.query("select pg_sleep(60)").catch(String);
      await asDatabaseAdmin("select 1");
      connector.cut();
      expect(await running).toContain("Connection terminated unexpectedly");
      const again = await connected(way);
      expect((await again.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    });

    it("ends when the server does", async () => {
      const client = await connected(await access());
      const { rows } = await client.query("select pg_backend_pid() as pid");
      const ended = new Promise((resolve) => client.once("end", () => resolve("ended")));
      await asDatabaseAdmin(`select pg_terminate_backend(${rows[0].pid})`);
      expect(await ended).toBe("ended");
    });
  });

  describe("tokens and certificates of AlloyDB", () => {
    it("uses the token of the moment for every connection", async () => {
      const way = await access();
      await connected(way);
      await asDatabaseAdmin(`alter role "${principal}" password 'token-2'`);
      tokens.current.login = "token-2";
      await connected(way);
      expect(connector.exchanges.map(({ token }) => token)).toEqual(["token-1", "token-2"]);
    });

    it("says that a token was refused, and takes a new one the next time", async () => {
      connector.answer = ({ token }) => (token === "token-1" ? "the access token\nhas expired" : undefined);
      const way = await access();
      expect(await failure(way)).toMatchObject({
        reason: "STORE_NOT_USABLE",
        message: `AlloyDB instance ${instance} refused the connection: the access token has expired; check that the instance has the flag alloydb.iam_authentication=on, that the user is the principal of the credentials, and that it has roles/alloydb.databaseUser`,
      });
      expect(tokens.forgotten).toEqual([loginScope]);
      tokens.current.login = "token-2";
      await asDatabaseAdmin(`alter role "${principal}" password 'token-2'`);
      await connected(way);
    });

    it("passes on that the database refuses a token", async () => {
      await asDatabaseAdmin(`alter role "${principal}" password 'other'`);
      expect(await failure(await access())).toMatchObject({ code: "28P01" });
    });

    it("renews the certificate in the second half of its life, for new connections only", async () => {
      const way = await access();
      const client = await connected(way);
      clock += 40 * minute;
      const certificatesSeen = async (): Promise<number> => {
        await connected(way);
        return new Set(connector.clients).size;
      };
      expect(await certificatesSeen()).toBe(1);
      await expect.poll(certificatesSeen).toBe(2);
      clock += 200 * minute;
      await connected(way);
      expect(new Set(connector.clients).size).toBe(3);
      expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    });

    it("replaces a certificate that the server refuses", async () => {
      api.notBefore = () => Date.now() - 2 * minute;
      api.notAfter = () => Date.now() - minute;
      const way = await access();
      expect(await failure(way)).toMatchObject({
        reason: "STORE_UNAVAILABLE",
        message: expect.stringContaining(`connecting to AlloyDB instance ${instance} at 127.0.0.1:`),
      });
      api.notAfter = () => Date.now() + 60 * minute;
      clock += minute;
      await connected(way);
      expect(api.issued).toBe(2);
    });

    it("follows an instance that has moved", async () => {
      const way = await access({}, { timeoutMs: 5000 });
      api.info = { ipAddress: "127.0.0.2" };
      expect(await failure(way)).toMatchObject({ reason: "STORE_UNAVAILABLE" });
      api.info = { ipAddress: "127.0.0.1" };
      clock += minute;
      await connected(way);
    });
  });

  describe("servers that are not the AlloyDB instance", () => {
    it("are refused when another authority signed for them", async () => {
      api.caCert = certificateAuthority("cluster").certificate;
      expect(await failure(await access())).toMatchObject({
        reason: "STORE_NOT_USABLE",
        message: expect.stringMatching(
          /^the server at 127\.0\.0\.1:\d+ does not prove to be AlloyDB instance projects/,
        ),
      });
      expect(connector.exchanges).toEqual([]);
    });

    it("are refused when they are another instance of the cluster", async () => {
      await connector.close();
      connector = await fakeConnector(authority, { host: "127.0.0.1", port: postgres.port }, ["10.0.0.9"]);
      expect(await failure(await access())).toMatchObject({
        reason: "STORE_NOT_USABLE",
        message: expect.stringContaining("does not prove to be"),
      });
      expect(connector.exchanges).toEqual([]);
    });

    it.each([
      [
        "another protocol",
        { fault: Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n") },
        10_000,
        "no AlloyDB connector port",
      ],
      ["the end", { fault: "close" }, 10_000, "the server closed the connection"],
      ["half an answer ", { fault: encode("x").subarray(0, 5) }, 100, "no answer within 100 ms"],
      ["silence", { fault: "silence" }, 100, "no answer within 100 ms"],
    ] as const)("get no further when they answer with %s", async (_, fault, timeoutMs, text) => {
      connector.answer = () => fault;
      const way = await access({}, { timeoutMs });
      expect(await failure(way)).toMatchObject({
        reason: "STORE_UNAVAILABLE",
        message: expect.stringContaining(text),
      });
    });

    it("keep nobody waiting when they are half open", async () => {
      const sockets: Socket[] = [];
      const mute = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
      await once(mute, "listening");
      const { port } = mute.address() as AddressInfo;
      expect(await failure(await access({}, { port, timeoutMs: 50 }))).toMatchObject({
        reason: "STORE_UNAVAILABLE",
        message: expect.stringContaining("no answer within 50 ms"),
      });
      const patient = await access({}, { port });
      expect(await failure(patient, { connectionTimeoutMillis: 50 })).toMatchObject({ message: "timeout expired" });
      for (const socket of sockets) socket.destroy();
      mute.close();
      await once(mute, "close");
    });
  });

  describe("an AlloyDB access", () => {
    it("leaves a plain host to the PostgreSQL client, with or without tokens", async () => {
      const plain = await access({ instance: undefined, iam: false, host: "10.0.0.5" });
      expect(Object.keys(plain)).toEqual(["close"]);
      const byToken = await access({ instance: undefined, host: "127.0.0.1" });
      expect(byToken.stream).toBeUndefined();
      const client = await connected(byToken, { host: "127.0.0.1", port: postgres.port });
      expect((await client.query("select current_user as me")).rows).toEqual([{ me: principal }]);
      expect(api.requests).toEqual([]);
    });

    it("refuses what cannot work before anything is asked", async () => {
      await expect(access({ instance: "primary" })).rejects.toMatchObject({ reason: "STORE_URL_INVALID" });
      await expect(access({ user: undefined })).rejects.toMatchObject({
        reason: "STORE_URL_INVALID",
        message: expect.stringContaining("iam=true needs the principal as the user"),
      });
      expect(api.requests).toEqual([]);
    });

    it("asks the API anew after it failed", async () => {
      const way = await access();
      api.failure = { status: 503, body: "" };
      expect(await failure(way)).toMatchObject({ reason: "STORE_UNAVAILABLE" });
      api.failure = undefined;
      await connected(way);
    });

    it("ends what it asks of the API when it is closed", async () => {
      const way = await access();
      api.failure = "hang";
      const failed = failure(way);
      await expect.poll(() => api.requests.length).toBe(2);
      await way.close();
      expect(await failed).toMatchObject({ reason: "SHUTTING_DOWN" });
    });

    it("gives a stream that can be destroyed before it is connected, and written to", async () => {
      const { stream } = await access();
      const early = stream?.() as Duplex & { connect(): unknown; ref(): unknown; unref(): unknown };
      early.unref();
      early.ref();
      early.connect();
      early.write("lost");
      early.destroy();
      await once(early, "close");
      expect(connector.exchanges).toEqual([]);
    });

    it("shows no token in what it throws", async () => {
      connector.answer = () => "refused";
      api.failure = { status: 500, body: JSON.stringify({ error: { message: "broken" } }) };
      const errors = [await failure(await access())];
      api.failure = undefined;
      errors.push(await failure(await access()));
      expect(JSON.stringify(errors.map((error) => [String(error), error]))).not.toMatch(/api-token|token-1/);
    });
  });
});
