import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { TapeError } from "../../errors.ts";
import { isDefinite, isSerialization, postgresFailure, sqlState } from "./postgres-failure.ts";

const server = (code: string, message: string, severity = "ERROR", more: object = {}): Error =>
  Object.assign(new Error(message), { name: "error", length: 1, severity, code, ...more });
const node = (code: string, message = code): Error => Object.assign(new Error(message), { code });

describe("postgresFailure", () => {
  it.each([
    [server("28P01", 'password authentication failed for user "u"', "FATAL"), "STORE_NOT_USABLE", "check both"],
    [server("28000", "no pg_hba.conf entry for host", "FATAL"), "STORE_NOT_USABLE", "pg_hba.conf"],
    [server("3D000", 'database "x" does not exist', "FATAL"), "STORE_NOT_USABLE", "create it"],
    [server("42P01", 'relation "tape_rows" does not exist'), "STORE_NOT_USABLE", "tape migrate"],
    [server("3F000", 'schema "x" does not exist'), "STORE_NOT_USABLE", "tape migrate"],
    [server("42501", "permission denied for schema public"), "STORE_NOT_USABLE", "grant"],
    [server("25006", "cannot execute INSERT in a read-only transaction"), "STORE_NOT_USABLE", "replica"],
    [server("42704", 'unrecognized configuration parameter "x"', "FATAL"), "STORE_NOT_USABLE", "check options"],
    [server("22023", 'invalid value for parameter "x"', "FATAL"), "STORE_NOT_USABLE", "invalid value for parameter"],
    [server("26000", 'prepared statement "a" does not exist'), "STORE_NOT_USABLE", "pgbouncer=true"],
    [server("42P05", 'prepared statement "a" already exists'), "STORE_NOT_USABLE", "pgbouncer=true"],
    [server("08P01", "unsupported startup parameter: statement_timeout"), "STORE_NOT_USABLE", "pgbouncer=true"],
    [server("08P01", "unsupported startup parameter: options"), "STORE_NOT_USABLE", "no options"],
    [server("08P01", "no such user: x", "FATAL"), "STORE_NOT_USABLE", "user or password"],
    [server("08P01", 'no such database: "x"', "FATAL"), "STORE_NOT_USABLE", "name another one"],
    [server("08P01", "query_wait_timeout", "FATAL"), "STORE_UNAVAILABLE", "pool_size"],
    [server("08P01", "server conn crashed?", "FATAL"), "STORE_UNAVAILABLE", "try again"],
    [server("53300", "sorry, too many clients already", "FATAL"), "STORE_UNAVAILABLE", "pool_size"],
    [server("53100", "could not extend file"), "STORE_UNAVAILABLE", "disk is full"],
    [server("53200", "out of memory"), "STORE_UNAVAILABLE", "out of memory"],
    [server("57014", "canceling statement due to statement timeout"), "STORE_UNAVAILABLE", "statement_timeout"],
    [server("57P01", "terminating connection", "FATAL"), "STORE_UNAVAILABLE", "try again"],
    [server("57P03", "the database system is starting up", "FATAL"), "STORE_UNAVAILABLE", "starting up"],
    [server("58030", "could not read file"), "STORE_UNAVAILABLE", "log"],
    [server("55P03", "canceling statement due to lock timeout"), "STORE_UNAVAILABLE", "pg_stat_activity"],
    [server("40001", "could not serialize access"), "STORE_UNAVAILABLE", "try again"],
    [server("XX001", "invalid page in block 7"), "STORE_CORRUPT", "backup"],
    [server("XX002", "index is corrupted"), "STORE_CORRUPT", "REINDEX"],
    [server("42883", "function x() does not exist"), "INTERNAL", "SQLSTATE 42883"],
    [node("ENOTFOUND"), "STORE_NOT_USABLE", "no such host"],
    [node("EAI_AGAIN"), "STORE_UNAVAILABLE", "name server"],
    [node("ECONNREFUSED", ""), "STORE_UNAVAILABLE", "nothing listens there"],
    [node("ENOENT"), "STORE_UNAVAILABLE", "no such socket"],
    [node("ETIMEDOUT"), "STORE_UNAVAILABLE", "firewall"],
    [node("EPIPE"), "STORE_UNAVAILABLE", "connection was lost"],
    [new Error("timeout expired"), "STORE_UNAVAILABLE", "connect_timeout"],
    [new Error("Connection terminated due to connection timeout"), "STORE_UNAVAILABLE", "connect_timeout"],
    [new Error("timeout exceeded when trying to connect"), "STORE_UNAVAILABLE", "pool_size"],
    [new Error("Connection terminated unexpectedly"), "STORE_UNAVAILABLE", "connection was lost"],
    [new Error("Query read timeout"), "STORE_UNAVAILABLE", "statement_timeout"],
    [new Error("The server does not support SSL connections"), "STORE_NOT_USABLE", "offers no TLS"],
    [new Error("There was an error establishing an SSL connection"), "STORE_NOT_USABLE", "not PostgreSQL"],
    [node("DEPTH_ZERO_SELF_SIGNED_CERT"), "STORE_NOT_USABLE", "sslrootcert"],
    [node("ERR_TLS_CERT_ALTNAME_INVALID"), "STORE_NOT_USABLE", "another name"],
    [node("CERT_HAS_EXPIRED"), "STORE_NOT_USABLE", "expired"],
    [
      node("ERR_SSL_X", "80:error:0A000418:SSL routines:read:tlsv1 alert unknown ca:file.c:1:SSL alert number 48"),
      "STORE_NOT_USABLE",
      "TLS failed (tlsv1 alert unknown ca);",
    ],
    [new TypeError("x is not a function"), "INTERNAL", "x is not a function"],
    ["text", "INTERNAL", "text"],
  ])("%s is %s", (error, reason, why) => {
    const failure = postgresFailure(error, "connecting", "opening");
    expect(failure.reason).toBe(reason);
    expect(failure.message).toMatch(/^connecting failed: /);
    expect(failure.message).toContain(why);
    expect(failure.message).not.toContain("\n");
  });

  it("takes what worked before for a matter of the moment, except missing tables", () => {
    const reason = (code: string): string => postgresFailure(server(code, "said"), "reading").reason;
    expect(reason("28P01")).toBe("STORE_UNAVAILABLE");
    expect(reason("25006")).toBe("STORE_UNAVAILABLE");
    expect(reason("42P01")).toBe("STORE_NOT_USABLE");
    expect(postgresFailure(node("ENOTFOUND"), "reading").reason).toBe("STORE_UNAVAILABLE");
  });

  it("passes its own errors through", () => {
    const error = new TapeError("FORMAT_NEWER", "said");
    expect(postgresFailure(error, "reading")).toBe(error);
  });

  it("neither says nor keeps data, statements or a client's settings", () => {
    const more = { detail: "hunter2", where: "hunter2", hint: "hunter2", client: { password: "hunter2" } };
    for (const error of [
      server("22P02", 'invalid input syntax for type integer: "hunter2"', "ERROR", more),
      server("23505", "duplicate key (hunter2)", "ERROR", more),
      server("P0001", "hunter2", "ERROR", more),
      server("42P01", "relation does not exist", "ERROR", more),
    ]) {
      expect(inspect(postgresFailure(error, "writing"), { depth: 9, showHidden: true })).not.toContain("hunter2");
    }
  });

  it("keeps codes, severity and place of the cause", () => {
    const failure = postgresFailure(server("40001", "two\nlines"), "writing");
    expect(failure.cause).toMatchObject({ code: "40001", severity: "ERROR", message: "two lines" });
    expect(failure.cause).toHaveProperty("stack", expect.stringMatching(/^error: two lines\n {4}at /));
  });
});

describe("isDefinite", () => {
  it.each([
    [server("40001", ""), true],
    [server("23505", "", "FEHLER"), true],
    [server("53100", ""), true],
    [server("57014", ""), true],
    [server("53100", "", "FEHLER"), false],
    [server("40003", ""), false],
    [server("08P01", "server conn crashed?"), false],
    [server("08006", ""), false],
    [server("57P01", "", "FATAL"), false],
    // As a pooler passes it on that has lost its server.
    [server("57P01", ""), false],
    [server("XX000", "", "PANIC"), false],
    [new Error("Connection terminated unexpectedly"), false],
    [new Error("Query read timeout"), false],
    [node("EPIPE"), false],
    [undefined, false],
  ])("%o: %s", (error, definite) => {
    expect(isDefinite(error)).toBe(definite);
    expect(isDefinite(postgresFailure(error, "writing")), "translated").toBe(definite);
  });
});

describe("sqlState", () => {
  it("is what the server sent, never a code of Node", () => {
    expect(sqlState(server("40P01", ""))).toBe("40P01");
    expect(sqlState(postgresFailure(server("40P01", ""), "writing"))).toBe("40P01");
    expect(sqlState(node("EPIPE"))).toBeUndefined();
  });

  it("tells a lost race from a lock that was waited for", () => {
    expect(["40001", "40P01", "55P03", "23505"].map((code) => isSerialization(server(code, "")))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
