import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./loopback-port.ts";
import type { PostgresServer } from "./postgres-server.ts";
import { isProgram, pathFolders, programIn } from "./program-folders.ts";
import { serverAccount } from "./server-account.ts";
import { ServerFolder } from "./server-folder.ts";
import { ServerProcess } from "./server-process.ts";

/** What to do where none is found. */
export const pgBouncerMissing: string =
  "no PgBouncer found: `apt-get install pgbouncer`, or name the program in TAPE_TEST_PGBOUNCER";

/** How a test wants its PgBouncer. */
export interface PgBouncerOptions {
  /** Lines for its configuration, over the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A running PgBouncer. */
export interface PgBouncer extends AsyncDisposable {
  readonly port: number;
  readonly pid: number | undefined;
  /** For a user whom PostgreSQL trusts; `pgbouncer=true` is among the parameters. */
  url(parts?: { readonly database?: string; readonly params?: Readonly<Record<string, string>> }): string;
  stop(): Promise<void>;
}

/** The program, which `TAPE_TEST_PGBOUNCER` may name. */
export function findPgBouncer(): string | undefined {
  const named = process.env["TAPE_TEST_PGBOUNCER"];
  if (named === undefined || named === "") return programIn(pathFolders(), "pgbouncer");
  return isProgram(named) ? named : undefined;
}

/**
 * Starts PgBouncer in front of a server, in transaction mode. Its pool is smaller than what clients open, so that
 * statements of one client really come by different connections.
 */
export async function startPgBouncer(
  server: PostgresServer,
  { settings = {} }: PgBouncerOptions = {},
): Promise<PgBouncer> {
  const program = findPgBouncer();
  if (program === undefined) throw new Error(pgBouncerMissing);
  const account = serverAccount(program);
  const folder = new ServerFolder("tape-pgbouncer-", account);
  const port = await freePort();
  const lines = Object.entries({
    listen_addr: "127.0.0.1",
    listen_port: String(port),
    unix_socket_dir: "",
    auth_type: "any",
    pool_mode: "transaction",
    default_pool_size: "8",
    max_client_conn: "500",
    ...settings,
  }).map(([name, value]) => `${name} = ${value}`);
  // With `any`, everybody who comes in is this user further on.
  const target = `* = host=127.0.0.1 port=${server.port} user=postgres`;
  const file = join(folder.path, "pgbouncer.ini");
  writeFileSync(file, ["[databases]", target, "[pgbouncer]", ...lines, ""].join("\n"));
  const logFile = join(folder.path, "log");
  const started = new ServerProcess({ program, args: [file], account, folder: folder.path, logFile });
  folder.guard(started.pid);

  // SIGQUIT ends every version at once; what SIGINT and SIGTERM wait for has changed.
  const stop = async (): Promise<void> => {
    await started.end("SIGQUIT");
    await folder.remove();
  };
  try {
    await started.ready("127.0.0.1", port);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    pid: started.pid,
    url: ({ database = "postgres", params = {} } = {}) =>
      `postgres://postgres@127.0.0.1:${port}/${database}?${new URLSearchParams({ pgbouncer: "true", ...params }).toString()}`,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
