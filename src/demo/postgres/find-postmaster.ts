import { existsSync, statSync } from "node:fs";
import { isIPv4 } from "node:net";
import { join } from "node:path";
import { TapeError } from "../../errors.ts";
import { openClient, placeOf } from "../../store/postgres/open-client.ts";
import { sqlState } from "../../store/postgres/postgres-failure.ts";
import type { PostgresTarget } from "../../store/postgres/postgres-url.ts";
import { howStarted } from "./postmaster-start.ts";
import { Postmaster, readPostmasterPid } from "./postmaster.ts";
import { livingProcesses } from "./process-table.ts";

const insufficientPrivilege = "42501";
/** Between the start of the process, in seconds, and what the server itself takes for its start. */
const startSlackSeconds = 3;

/**
 * The server process behind a database, if it may be killed from here and started again.
 * Errors: CONFIG_INVALID, with why not; what connecting rejects with.
 */
export async function findPostmaster(
  target: PostgresTarget,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Postmaster> {
  const refuse = (why: string): TapeError => refusal(target, why);
  if (target.pgbouncer) throw refuse("a pooler stands before it; name the server itself");
  if (!isLocal(target)) throw refuse("it is not on this machine; name one that is");
  if (process.getuid === undefined) throw refuse("this system has no SIGKILL; use Linux or macOS");

  const { dataFolder, startedAt, parent, lockFiles } = await askServer(target, refuse);
  const running = existsSync(dataFolder) ? readable(() => readPostmasterPid(dataFolder), refuse) : undefined;
  const isIt = running?.pid === parent && Math.abs((running?.startedAt ?? 0) - startedAt) <= startSlackSeconds;
  if (running === undefined || !isIt)
    throw refuse("its processes cannot be seen from here, as in a container; run the demo beside it");
  if (process.getuid() !== 0 && statSync(dataFolder).uid !== process.getuid())
    throw refuse("another user runs it; run the demo as that user, or as root");
  const start = readable(() => howStarted(running.pid, dataFolder, env), refuse);
  if ("why" in start) throw refuse(start.why);
  const answers = async (): Promise<boolean> => {
    try {
      await (await openClient(target)).end();
      return true;
    } catch {
      return false;
    }
  };
  return new Postmaster({ ...start, dataFolder, lockFiles, answers });
}

/** Why the database server is not killed, and that the demo does without. */
export function refusal(target: PostgresTarget, why: string): TapeError {
  return new TapeError(
    "CONFIG_INVALID",
    `--store: the server of ${placeOf(target)} cannot be killed: ${why}, or add --spare-database to kill Tape's processes only`,
  );
}

function isLocal({ host, alloydb }: PostgresTarget): boolean {
  if (alloydb !== undefined) return false;
  return host.startsWith("/") || host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

interface ServerWords {
  readonly dataFolder: string;
  /** Seconds since 1970. */
  readonly startedAt: number;
  /** Which process of this machine has made the one that answers; `undefined`: none that can be seen. */
  readonly parent: number | undefined;
  readonly lockFiles: readonly string[];
}

async function askServer(target: PostgresTarget, refuse: (why: string) => TapeError): Promise<ServerWords> {
  const client = await openClient(target);
  try {
    const { rows } = await client.query<unknown[]>({
      text: `select current_setting('data_directory'), extract(epoch from pg_postmaster_start_time()), pg_backend_pid(),
        current_setting('unix_socket_directories'), current_setting('port')`,
      rowMode: "array",
    });
    const [dataFolder, startedAt, backend, socketFolders, port] = rows[0] ?? [];
    // While it is connected: afterwards its process has ended.
    const parent = (await livingProcesses()).find(({ pid }) => pid === Number(backend))?.parent;
    const lockFiles = [
      join(String(dataFolder), "postmaster.pid"),
      ...String(socketFolders)
        .split(",")
        .filter((folder) => folder.trim() !== "")
        .map((folder) => join(folder.trim(), `.s.PGSQL.${String(port)}.lock`)),
    ];
    return { dataFolder: String(dataFolder), startedAt: Number(startedAt), parent, lockFiles };
  } catch (error) {
    if (sqlState(error) !== insufficientPrivilege) throw error;
    throw refuse("this role may not see where it keeps its data; grant it pg_monitor");
  } finally {
    await client.end();
  }
}

function readable<T>(read: () => T, refuse: (why: string) => TapeError): T {
  try {
    return read();
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw refuse(`its data folder cannot be read (${code}); run the demo as the user of the server`);
  }
}
