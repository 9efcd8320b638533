import { isIPv6 } from "node:net";
import { TapeError } from "../../errors.ts";
import { maskUrl } from "../mask-url.ts";
import { parameterNames, readParameters, type Parameters } from "./url-parameters.ts";
import { urlParts, type Refusal, type UrlParts } from "./url-parts.ts";

/** How much TLS a connection must have, as libpq has it (without its `allow`). */
const sslModes = ["disable", "prefer", "require", "verify-ca", "verify-full"] as const;
/** One of {@link sslModes}. */
type SslMode = (typeof sslModes)[number];

/** What a store URL asks for, with every default filled in. Holds the password: never to be logged. */
export interface PostgresTarget {
  readonly kind: "postgres" | "alloydb";
  /** A name, an address (IPv6 without brackets) or the folder of a Unix socket; empty when an instance is named. */
  readonly host: string;
  readonly port: number;
  /** Absent: PGUSER, else the user of the operating system, as libpq. */
  readonly user: string | undefined;
  /** Absent: PGPASSWORD, else `~/.pgpass`, as libpq. */
  readonly password: string | undefined;
  /** Absent: PGDATABASE, else the user's name, as libpq. */
  readonly database: string | undefined;
  readonly sslmode: SslMode;
  /** A path, or `system`: the certificate authorities that come with Node, also the default. */
  readonly sslrootcert: string | undefined;
  /** Path of the client's certificate; comes with `sslkey`. */
  readonly sslcert: string | undefined;
  readonly sslkey: string | undefined;
  /** Where the tables are. */
  readonly schema: string;
  readonly applicationName: string;
  /** Command-line options for the server's session, such as `-c work_mem=64MB`. */
  readonly options: string;
  /** Connections of the pool at most. */
  readonly poolSize: number;
  readonly connectTimeoutMs: number;
  /** 0: none. */
  readonly statementTimeoutMs: number;
  /** A pooler that changes the server connection between transactions stands in between. */
  readonly pgbouncer: boolean;
  /** Whether to LISTEN; otherwise the store only polls. Never through PgBouncer. */
  readonly listen: boolean;
  /** Of `alloydb:` URLs only. */
  readonly alloydb: AlloydbTarget | undefined;
}

/** What only an `alloydb:` URL can ask for. */
interface AlloydbTarget {
  /** `projects/P/locations/R/clusters/C/instances/I`: reach it through Google's connector protocol. */
  readonly instance: string | undefined;
  /** Log in with an IAM token instead of a password. */
  readonly iam: boolean;
  readonly ip: "private" | "public";
}

const kinds: Readonly<Record<string, PostgresTarget["kind"]>> = {
  postgres: "postgres",
  postgresql: "postgres",
  alloydb: "alloydb",
};

/**
 * Reads a `postgres:`, `postgresql:` or `alloydb:` URL: `postgres://user:password@host:port/database?name=value`, with
 * libpq's meaning where libpq knows a part. What would be ignored or contradict is refused. Pure.
 * Errors: STORE_URL_INVALID.
 */
export function parsePostgresUrl(url: string): PostgresTarget {
  const shown = maskUrl(url);
  const refuse: Refusal = (why) =>
    new TapeError("STORE_URL_INVALID", `store URL ${JSON.stringify(shown)} is not valid: ${why}`);
  const parts = urlParts(url, refuse);
  const kind = kinds[parts.scheme];
  if (kind === undefined) throw refuse("the scheme must be postgres, postgresql or alloydb");
  for (const name of parts.parameters.keys()) {
    const known = parameterNames(kind);
    if (known.some((one) => one === name)) continue;
    // A raw ? in a password makes its rest look like a parameter: say only what the masked URL shows anyway.
    const named = shown.includes(`${name}=`) ? `unknown parameter ${JSON.stringify(name)}` : "unknown parameter";
    throw refuse(`${named}; there are: ${known.join(", ")}`);
  }
  const parameters = readParameters(parts.parameters, refuse);
  const login = loginOf(parts, parameters, refuse);
  const alloydb = kind === "alloydb" ? alloydbOf(login, parameters, refuse) : undefined;
  const host = alloydb?.instance === undefined ? hostOf(login.host ?? "localhost", refuse) : "";
  const pgbouncer = parameters.flag("pgbouncer") ?? false;
  return {
    kind,
    host,
    port: parameters.number("port", [1, 65_535], login.port) ?? 5432,
    user: login.user,
    password: login.password,
    database: login.database,
    ...tlsOf(host, alloydb, parameters, refuse),
    schema: schemaOf(parameters.text("schema") ?? "public", refuse),
    applicationName: parameters.text("application_name") ?? "tape",
    options: parameters.text("options") ?? "",
    poolSize: parameters.number("pool_size", [1, 1000]) ?? 10,
    connectTimeoutMs: 1000 * (parameters.number("connect_timeout", [1, 3600]) ?? 5),
    // The highest that the server takes.
    statementTimeoutMs: parameters.number("statement_timeout", [0, 2_147_483_647]) ?? 30_000,
    pgbouncer,
    listen: listenOf(pgbouncer, parameters, refuse),
    alloydb,
  };
}

type Login = Pick<UrlParts, "host" | "port" | "user" | "password" | "database">;

/** What may stand before the `?` or behind it, in one of both places. */
function loginOf(parts: UrlParts, parameters: Parameters, refuse: Refusal): Login {
  const once = (name: "host" | "port" | "user" | "password" | "dbname", before: string | undefined) => {
    const behind = parameters.text(name);
    if (before !== undefined && behind !== undefined) throw refuse(`${name} is given before the ? and behind it`);
    return before ?? behind;
  };
  return {
    host: once("host", parts.host),
    port: once("port", parts.port),
    user: once("user", parts.user),
    password: once("password", parts.password),
    database: once("dbname", parts.database),
  };
}

function hostOf(host: string, refuse: Refusal): string {
  if (host.startsWith("/")) return host;
  if (host.includes(",")) throw refuse("it names several hosts; Tape takes one");
  if (host.startsWith("@")) throw refuse("abstract Unix sockets are not supported; name the socket's folder");
  if (!isIPv6(host) && !/^[^\s/:@\p{Cc}]+$/u.test(host)) {
    throw refuse("the host must be a name, an address (IPv6 in brackets) or a socket's folder beginning with /");
  }
  return host;
}

type Tls = Pick<PostgresTarget, "sslmode" | "sslrootcert" | "sslcert" | "sslkey">;

function tlsOf(host: string, alloydb: AlloydbTarget | undefined, parameters: Parameters, refuse: Refusal): Tls {
  const asked = parameters.choice("sslmode", sslModes);
  const files = {
    sslrootcert: parameters.text("sslrootcert"),
    sslcert: parameters.text("sslcert"),
    sslkey: parameters.text("sslkey"),
  };
  const { sslrootcert, sslcert, sslkey } = files;
  const any = sslrootcert ?? sslcert ?? sslkey;
  if (alloydb?.instance !== undefined) {
    if (any !== undefined || asked !== undefined)
      throw refuse("an instance is always reached by TLS; leave out sslmode and its files");
    return { sslmode: "verify-full", ...files };
  }
  if (host.startsWith("/")) {
    if (any !== undefined || !(asked === undefined || asked === "disable" || asked === "prefer")) {
      throw refuse("a Unix socket has no TLS; leave out sslmode and its files");
    }
    return { sslmode: "disable", ...files };
  }
  if ((sslcert === undefined) !== (sslkey === undefined)) throw refuse("sslcert and sslkey need each other");
  const sslmode = asked ?? (sslrootcert === "system" ? "verify-full" : alloydb?.iam === true ? "require" : "prefer");
  if (sslmode === "disable" && any !== undefined) throw refuse("sslmode=disable contradicts the TLS files");
  if (sslmode === "prefer" && sslrootcert !== undefined) {
    throw refuse("sslrootcert verifies nothing without sslmode=verify-full, verify-ca or require");
  }
  // Anybody can have a certificate of a public authority: without its name it proves nothing (libpq refuses it too).
  if (sslrootcert === "system" && sslmode !== "verify-full")
    throw refuse("sslrootcert=system needs sslmode=verify-full");
  if (alloydb?.iam === true && (sslmode === "disable" || sslmode === "prefer")) {
    throw refuse("iam=true sends a token, so sslmode must be require, verify-ca or verify-full");
  }
  return { sslmode, ...files };
}

const instanceName = /^projects\/[^/\s]+\/locations\/[^/\s]+\/clusters\/[^/\s]+\/instances\/[^/\s]+$/;

function alloydbOf(login: Login, parameters: Parameters, refuse: Refusal): AlloydbTarget {
  const instance = parameters.text("instance");
  const iam = parameters.flag("iam") ?? false;
  const ip = parameters.choice("ip", ["private", "public"]);
  if (instance === undefined && ip !== undefined) throw refuse("ip needs instance");
  if (instance !== undefined) {
    if (!instanceName.test(instance)) {
      throw refuse("instance must be projects/PROJECT/locations/REGION/clusters/CLUSTER/instances/INSTANCE");
    }
    if (login.host !== undefined || login.port !== undefined) throw refuse("host and port contradict instance");
  }
  if (iam && login.user === undefined) throw refuse("iam=true needs a user, the IAM principal");
  if (iam && login.password !== undefined) throw refuse("a password contradicts iam=true");
  return { instance, iam, ip: ip ?? "private" };
}

function schemaOf(schema: string, refuse: Refusal): string {
  // A longer name would be cut by the server, and two stores could meet in one schema.
  if (Buffer.byteLength(schema) > 63) throw refuse("schema is longer than PostgreSQL's 63 bytes");
  if (schema.startsWith("pg_")) throw refuse("schema begins with pg_, which PostgreSQL keeps for itself");
  return schema;
}

function listenOf(pgbouncer: boolean, parameters: Parameters, refuse: Refusal): boolean {
  const asked = parameters.flag("listen");
  if (pgbouncer && asked === true) throw refuse("listen=true contradicts pgbouncer=true, which cannot carry it");
  return asked ?? !pgbouncer;
}
