import { execFile } from "node:child_process";
import { appendFileSync, chownSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PostgresInstallation } from "./find-postgres.ts";
import { serverAccount, serverEnvironment } from "./server-account.ts";

const run = promisify(execFile);

/** What a new data folder shall be like. */
export interface DataFolderOptions {
  readonly settings: Readonly<Record<string, string>>;
  readonly hba?: string | undefined;
  readonly initdb?: readonly string[] | undefined;
  readonly prepare?: ((dataFolder: string) => Promise<void>) | undefined;
}

/** Makes the data folder of a server at this path; its superuser is `postgres`, and everybody is trusted. */
export async function createDataFolder(
  { version, bin }: PostgresInstallation,
  path: string,
  { settings, hba, initdb = [], prepare }: DataFolderOptions,
): Promise<void> {
  const account = serverAccount(bin);
  const args = ["-D", path, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", ...initdb];
  const create = async (locale: readonly string[]): Promise<unknown> =>
    run(join(bin, "initdb"), [...args, ...locale], { ...account, cwd: "/", env: serverEnvironment() });
  if (initdb.some((arg) => /^--(?:locale|lc-|icu|no-locale)/.test(arg))) await create([]);
  else await create(localeFor(version)).catch(withoutIcu(() => create(["--locale=C"])));

  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  appendFileSync(join(path, "postgresql.conf"), lines.join(""));
  if (hba !== undefined) writeFileSync(join(path, "pg_hba.conf"), hba);
  if (prepare === undefined) return;
  await prepare(path);
  giveAway(path, account.uid, account.gid);
}

/** A collation that does not sort by bytes: what forgets to ask for that order shall be found out. */
function localeFor(version: number): readonly string[] {
  return version < 15 ? ["--locale=C"] : ["--locale=C", "--locale-provider=icu", "--icu-locale=en"];
}

function withoutIcu(next: () => Promise<unknown>): (error: unknown) => Promise<unknown> {
  return async (error) => {
    if (error instanceof Error && error.message.includes("ICU is not supported")) return next();
    throw error;
  };
}

/** Files that were put there by root must be the server's. */
function giveAway(path: string, uid: number | undefined, gid: number | undefined): void {
  if (uid === undefined || gid === undefined) return;
  for (const file of readdirSync(path, { recursive: true, encoding: "utf8" })) chownSync(join(path, file), uid, gid);
}
