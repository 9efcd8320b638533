import { spawnSync } from "node:child_process";
import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { embeddedPostgres } from "./embedded-postgres.ts";
import { isProgram, programFolders, programIn } from "./program-folders.ts";
import { serverAccount, serverEnvironment } from "./server-account.ts";

/** A client program that a test may need beside the server. */
type PostgresTool = "psql" | "pg_dump" | "pg_restore" | "pgbench";

/** A PostgreSQL that runs here. */
export interface PostgresInstallation {
  /** Major version. */
  readonly version: number;
  /** The folder with `postgres` and `initdb`. */
  readonly bin: string;
  /**
   * The program of that name that can be used with this server: its own, and where it brings none (npm's brings the
   * server alone) `psql` and `pgbench` of any other.
   */
  readonly tools: (name: PostgresTool) => string | undefined;
}

/** What to do where none is found. */
export const postgresMissing: string =
  "no PostgreSQL found: `apt-get install postgresql` (or `npm install --include=optional`), " +
  "or name the folder of its programs in TAPE_TEST_POSTGRES";

/**
 * Every PostgreSQL of this machine that runs, the newest first, one a version. `TAPE_TEST_POSTGRES` names the folder of
 * the only one to be used.
 */
export function findPostgres(): readonly PostgresInstallation[] {
  const named = process.env["TAPE_TEST_POSTGRES"];
  const folders = named === undefined || named === "" ? candidateFolders() : [named];
  const found = new Map<number, PostgresInstallation>();
  for (const bin of new Set(folders.flatMap(serverFolder))) {
    const version = versionOf(bin);
    if (version === undefined || found.has(version)) continue;
    found.set(version, { version, bin, tools: (name) => toolFor(bin, name) });
  }
  return [...found.values()].toSorted((a, b) => b.version - a.version);
}

/** The installation that tests use unless they ask for another: the newest. */
export function newestPostgres(): PostgresInstallation {
  const [newest] = findPostgres();
  if (newest === undefined) throw new Error(postgresMissing);
  return newest;
}

function candidateFolders(): readonly string[] {
  const embedded = embeddedPostgres();
  return [...programFolders(), ...(embedded === undefined ? [] : [embedded])];
}

/** A link may stand for the server alone; what belongs to it is beside the file. */
function serverFolder(folder: string): readonly string[] {
  const server = join(folder, "postgres");
  if (!isProgram(server)) return [];
  const bin = dirname(realpathSync(server));
  return isProgram(join(bin, "initdb")) ? [bin] : [];
}

/** Asks the program itself: what stands on the path may be a wrapper of something that is not there. */
function versionOf(bin: string): number | undefined {
  const account = serverAccount(bin);
  const options = { ...account, encoding: "utf8", env: serverEnvironment(), cwd: "/" } as const;
  const { stdout } = spawnSync(join(bin, "postgres"), ["--version"], options);
  const major = /\(PostgreSQL\) (\d+)/.exec(stdout ?? "")?.[1];
  return major === undefined ? undefined : Number(major);
}

function toolFor(bin: string, name: PostgresTool): string | undefined {
  const own = programIn([bin], name);
  // A dump is refused by a program older than the server.
  if (own !== undefined || name === "pg_dump" || name === "pg_restore") return own;
  return programIn(programFolders(), name);
}
