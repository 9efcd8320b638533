import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TapeError } from "../../errors.ts";
import { parsePostgresUrl, type PostgresTarget } from "./postgres-url.ts";

const refusal = (url: string): TapeError => {
  try {
    parsePostgresUrl(url);
  } catch (error) {
    if (error instanceof TapeError) return error;
    throw error;
  }
  throw new TypeError(`${url} was accepted`);
};

/** Why a URL is refused, or nothing. */
const messageOf = (url: string): string => {
  try {
    parsePostgresUrl(url);
    return "";
  } catch (error) {
    return String(error);
  }
};

const instance = "projects/p/locations/europe-west3/clusters/c/instances/i";

describe("parsePostgresUrl", () => {
  it("fills in every default", () => {
    expect(parsePostgresUrl("postgres://")).toEqual({
      kind: "postgres",
      host: "localhost",
      port: 5432,
      user: undefined,
      password: undefined,
      database: undefined,
      sslmode: "prefer",
      sslrootcert: undefined,
      sslcert: undefined,
      sslkey: undefined,
      schema: "public",
      applicationName: "tape",
      options: "",
      poolSize: 10,
      connectTimeoutMs: 5000,
      statementTimeoutMs: 30_000,
      pgbouncer: false,
      listen: true,
      alloydb: undefined,
    } satisfies PostgresTarget);
  });

  it.each<readonly [string, Partial<PostgresTarget>]>([
    ["postgres://u:p@db:6543/tape", { host: "db", port: 6543, user: "u", password: "p", database: "tape" }],
    ["POSTGRESQL://u@db/tape", { kind: "postgres", user: "u", password: undefined }],
    ["postgres://u:@db:/tape", { password: undefined, port: 5432 }],
    ["postgres://%40u%3A:p%2F%3f%23@db", { user: "@u:", password: "p/?#" }],
    ["postgres://u:a:b@db", { user: "u", password: "a:b" }],
    ["postgres://sa@p.iam:pw@db", { user: "sa@p.iam", password: "pw" }],
    ["postgres://u:a+b@db/a%20b", { password: "a+b", database: "a b" }],
    ["postgres://[::1]:6543/tape", { host: "::1", port: 6543 }],
    ["postgres://[fe80::1%25eth0]", { host: "fe80::1%eth0" }],
    ["postgres:///tape?host=::1", { host: "::1" }],
    ["postgres:///tape?host=/var/run/postgresql&port=5433", { host: "/var/run/postgresql", port: 5433 }],
    ["postgres://%2Fvar%2Frun%2Fpostgresql/tape", { host: "/var/run/postgresql", sslmode: "disable" }],
    ["postgres://u:p@%2Frun:5433/tape?sslmode=prefer", { host: "/run", port: 5433, sslmode: "disable" }],
    ["postgres://?user=u&password=p%26&dbname=d&host=h", { user: "u", password: "p&", database: "d", host: "h" }],
    ["postgres://db/?sslmode=require&sslrootcert=/ca.pem", { sslmode: "require", sslrootcert: "/ca.pem" }],
    ["postgres://db/?sslrootcert=system", { sslmode: "verify-full", sslrootcert: "system" }],
    ["postgres://db/?sslcert=/c&sslkey=/k", { sslmode: "prefer", sslcert: "/c", sslkey: "/k" }],
    ["postgres://db/?schema=Tape%20%22x%22", { schema: 'Tape "x"' }],
    [
      "postgres://db/?options=-c%20work_mem%3D64MB&application_name=x",
      { options: "-c work_mem=64MB", applicationName: "x" },
    ],
    ["postgres://db/?options=", { options: "" }],
    ["postgres://db/?pool_size=1000&connect_timeout=1", { poolSize: 1000, connectTimeoutMs: 1000 }],
    ["postgres://db/?statement_timeout=0", { statementTimeoutMs: 0 }],
    ["postgres://db/?pgbouncer=true", { pgbouncer: true, listen: false }],
    ["postgres://db/?listen=false", { listen: false }],
    [
      "alloydb://u:p@127.0.0.1:5432/tape",
      { kind: "alloydb", alloydb: { instance: undefined, iam: false, ip: "private" } },
    ],
    ["alloydb://u@10.0.0.5/tape?iam=true", { sslmode: "require", host: "10.0.0.5" }],
    [
      `alloydb://sa%40p.iam@/tape?instance=${instance}&iam=true&ip=public`,
      {
        host: "",
        user: "sa@p.iam",
        database: "tape",
        sslmode: "verify-full",
        alloydb: { instance, iam: true, ip: "public" },
      },
    ],
    [`alloydb://sa@p.iam@/tape?instance=${encodeURIComponent(instance)}`, { user: "sa@p.iam" }],
  ])("%s", (url, expected) => {
    expect(parsePostgresUrl(url)).toMatchObject(expected);
  });

  it.each([
    ["postgres:db/tape", "scheme and //"],
    ["mysql://db/tape", "scheme must be"],
    ["postgres://db/tape#x", "fragment"],
    ["postgres://db/tape\n", "space or a control"],
    ["postgres://db/ta%zz", "%25"],
    ["postgres://u%00database%00x@db", "cannot be sent"],
    ["postgres://db:x/tape", "port must be a whole number from 1 to 65535"],
    ["postgres://db:0/tape", "port must be"],
    ["postgres://db:65536/tape", "port must be"],
    ["postgres://::1/tape", "brackets"],
    ["postgres://[db]/tape", "brackets"],
    ["postgres://[]/tape", "brackets"],
    ["postgres://a,b/tape", "several hosts"],
    ["postgres://db/?host=a", "before the ? and behind"],
    ["postgres:///?host=a,b", "several hosts"],
    ["postgres:///?host=@x", "abstract"],
    ["postgres:///?host=a/b", "host must be"],
    ["postgres://db/?sslmode=allow", "sslmode must be one of disable, prefer"],
    ["postgres://db/?sslmode=", "sslmode is empty"],
    ["postgres://db/?colour=red", 'unknown parameter "colour"; there are: host, port'],
    ["postgres://db/?instance=x", "unknown parameter"],
    ["postgres://db/?schema=a&schema=a", "given twice"],
    ["postgres://db/?schema", "no value"],
    ["postgres://db/?sslcert=/c", "need each other"],
    ["postgres://db/?sslrootcert=/ca", "verifies nothing"],
    ["postgres://db/?sslrootcert=system&sslmode=require", "verify-full"],
    ["postgres://db/?sslmode=disable&sslrootcert=/ca", "contradicts"],
    ["postgres:///?host=/run&sslmode=require", "Unix socket"],
    ["postgres:///?host=/run&sslrootcert=/ca", "Unix socket"],
    ["postgres://db/?pool_size=0", "from 1 to 1000"],
    ["postgres://db/?pool_size=1e2", "whole number"],
    ["postgres://db/?connect_timeout=0", "from 1 to 3600"],
    ["postgres://db/?statement_timeout=-1", "whole number"],
    ["postgres://db/?pgbouncer=yes", "true or false"],
    ["postgres://db/?pgbouncer=true&listen=true", "contradicts"],
    ["postgres://db/?schema=pg_catalog", "pg_"],
    [`postgres://db/?schema=${"%C3%A9".repeat(32)}`, "63 bytes"],
    [`alloydb://u@db/tape?instance=${instance}`, "contradict instance"],
    [`alloydb://u@/tape?instance=${instance}&host=db`, "contradict instance"],
    [`alloydb://u@/tape?instance=${instance}&sslmode=require`, "always reached by TLS"],
    ["alloydb://u@/tape?instance=c/i", "projects/PROJECT"],
    ["alloydb://u@db/tape?ip=public", "needs instance"],
    ["alloydb://db/tape?iam=true", "needs a user"],
    ["alloydb://u:p@db/tape?iam=true", "contradicts iam"],
    ["alloydb://u@db/tape?iam=true&sslmode=prefer", "sends a token"],
  ])("%j is refused", (url, why) => {
    const error = refusal(url);
    expect(error.reason).toBe("STORE_URL_INVALID");
    expect(error.message).toContain(why);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  });

  const text = fc
    .string({ minLength: 1, maxLength: 40, unit: "binary" })
    .filter((value) => value.isWellFormed() && !value.includes("\u0000"));

  it("gives back what was percent-encoded", () => {
    const schema = text.filter((value) => Buffer.byteLength(value) <= 63 && !value.startsWith("pg_"));
    fc.assert(
      fc.property(text, text, text, schema, (user, password, database, name) => {
        const [u, p, d, s] = [user, password, database, name].map(encodeURIComponent);
        const expected = { user, password, database, schema: name };
        expect(parsePostgresUrl(`postgres://${u}:${p}@db/${d}?schema=${s}`)).toMatchObject(expected);
        expect(parsePostgresUrl(`postgres://?user=${u}&password=${p}&dbname=${d}&schema=${s}`)).toMatchObject(expected);
      }),
    );
  });

  it("never shows a password, however wrong the URL is", () => {
    const secret = "hunter2";
    const noise = fc.string({ maxLength: 4, unit: fc.constantFrom(...Array.from("a:/?#[]@&=%,1 \n")) });
    const url = fc.constantFrom(
      (a: string, b: string) => `postgres://u:${a}${secret}${b}@db/tape`,
      (a: string, b: string) => `postgres:u:${a}${secret}${b}@db/tape`,
      (a: string, b: string) => `postgres//u:${a}${secret}${b}@db/tape`,
      (a: string, b: string) => `alloydb://u@p.iam:${a}${secret}${b}@db/tape?pool_size=x`,
      (_: string, b: string) => `postgres://db/tape?password=${secret}${b.replaceAll("=", "")}&colour=red`,
      (_: string, b: string) => `postgres://db/tape?p%61ssword=${secret}${b.replaceAll("=", "")}`,
    );
    fc.assert(
      fc.property(url, noise, noise, (make, a, b) => {
        const said = messageOf(make(a, b));
        expect(said).not.toContain(secret);
        expect(said).not.toContain("\n");
      }),
      { numRuns: 1000 },
    );
  });
});
