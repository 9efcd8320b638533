import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePostmasterOpts, withDataFolder } from "./postmaster-files.ts";
import type { PostmasterStart } from "./postmaster.ts";

/** Why it cannot be done, in words that go on with what to do. */
export interface Reason {
  readonly why: string;
}

const setpriv = "/usr/bin/setpriv";

/**
 * Finds out how the server of this folder was started. Where the system shows a process's environment, its groups and
 * where its output goes (Linux), the next start has the same.
 */
export function howStarted(pid: number, dataFolder: string, env: PostmasterStart["env"]): PostmasterStart | Reason {
  const opts = join(dataFolder, "postmaster.opts");
  const parsed = parsePostmasterOpts(readFileSync(opts, "utf8"));
  if (parsed === undefined) return { why: `${opts} does not tell how it was started; start it with plain arguments` };
  const command = withDataFolder(parsed, dataFolder);
  const service = serviceOf(pid);
  if (service !== undefined) {
    return { why: `${service} looks after it and would start it too; start a server by hand for this` };
  }
  const { uid, gid } = statSync(dataFolder);
  const isOther = uid !== process.getuid?.();
  const groups = isOther ? groupsOf(pid).filter((group) => group !== gid) : [];
  const withGroups = groups.length > 0 && existsSync(setpriv);
  const start: PostmasterStart = {
    // A process started with another user id has none of that user's groups, and a group may be what opens a TLS key.
    command: withGroups
      ? {
          program: setpriv,
          args: [
            `--reuid=${uid}`,
            `--regid=${gid}`,
            `--groups=${[gid, ...groups].join(",")}`,
            command.program,
            ...command.args,
          ],
        }
      : command,
    account: isOther && !withGroups ? { uid, gid } : {},
    env: environmentOf(pid) ?? env,
    output: outputOf(pid) ?? join(tmpdir(), `tape-demo-postgres-${pid}.log`),
  };
  return wouldStart(start, dataFolder) ? start : { why: "it could not be started again as it was; start it by hand" };
}

/** Asks the program itself, with all that it would be started with: `-C` prints a setting and touches no running server. */
function wouldStart({ command, account, env }: PostmasterStart, dataFolder: string): boolean {
  const options = { ...account, env, cwd: dataFolder, encoding: "utf8", timeout: 10_000 } as const;
  const { stdout, status } = spawnSync(command.program, [...command.args, "-C", "data_directory"], options);
  return status === 0 && stdout.trim() !== "";
}

/** The systemd service that a process belongs to and we do not. */
function serviceOf(pid: number): string | undefined {
  const [own, its] = ["self", String(pid)].map((one) => proc(one, "cgroup"));
  if (its === undefined || its === own) return undefined;
  return /\/([^/\n]+\.service)$/m.exec(its)?.[1];
}

function groupsOf(pid: number): readonly number[] {
  const words = /^Groups:[ \t]*(.*)$/m.exec(proc(String(pid), "status") ?? "")?.[1] ?? "";
  return words
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(Number);
}

function environmentOf(pid: number): PostmasterStart["env"] | undefined {
  const text = proc(String(pid), "environ");
  if (text === undefined) return undefined;
  const pairs = text.split("\0").filter((pair) => pair.includes("="));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

/** The file that its standard error goes to. */
function outputOf(pid: number): string | undefined {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/2`);
    return statSync(path).isFile() ? path : undefined;
  } catch {
    return undefined;
  }
}

function proc(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
