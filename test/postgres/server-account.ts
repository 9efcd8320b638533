import { statSync } from "node:fs";

/** Who a child process runs as: what `spawn` takes; empty for the user of this process. */
export interface ServerAccount {
  readonly uid?: number;
  readonly gid?: number;
}

/** `nobody` on Linux; elsewhere a number without rights, which is all that is needed. */
const nobody: ServerAccount = { uid: 65_534, gid: 65_534 };

/**
 * The account for a database program of this folder. PostgreSQL and PgBouncer refuse to run as root; then it is the
 * owner of the program, who can surely read it, or nobody when that is root as well.
 */
export function serverAccount(folder: string): ServerAccount {
  if (process.getuid?.() !== 0) return {};
  const { uid, gid } = statSync(folder);
  return uid === 0 ? nobody : { uid, gid };
}

/** The environment for a database program: ours, without what would change its configuration or its language. */
export function serverEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("PG") && !name.startsWith("LC_"));
  const inherited = kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return { ...Object.fromEntries(inherited), LC_ALL: "C", TZ: "UTC" };
}
