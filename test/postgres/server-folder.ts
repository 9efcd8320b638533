import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerAccount } from "./server-account.ts";

/** Room for `/.s.PGSQL.12345` behind it: the name of a Unix socket has 104 bytes at most on macOS, 108 on Linux. */
const longestFolder = 88;

/**
 * Reads the process id of the server, one a line (0: none runs). When the pipe ends without the word `done`, the
 * process that wrote it has died, however that came about: the server is ended and its folder removed. SIGQUIT makes
 * PostgreSQL give its shared memory back. Ten seconds are for a zombie that nobody reaps.
 */
export const watchdogScript: string = `
trap '' HUP INT TERM
pid=0
while read -r word; do
  if [ "$word" = done ]; then exit 0; fi
  pid=$word
done
if [ "$pid" -gt 0 ]; then
  kill -QUIT "$pid" 2>/dev/null
  left=100
  while [ "$left" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do sleep 0.1; left=$((left - 1)); done
  kill -KILL "$pid" 2>/dev/null
fi
rm -rf "$1"
`;

/** A temporary folder of a server, with a watchdog that ends the server and removes the folder should we die. */
export class ServerFolder {
  readonly path: string;
  readonly #watchdog: ChildProcess;

  /** @param name what the folder's name begins with. */
  constructor(name: string, account: ServerAccount) {
    // Another account may not be able to enter the folder that TMPDIR names.
    const own = account.uid === undefined && Buffer.byteLength(join(tmpdir(), name)) + 6 <= longestFolder;
    this.path = mkdtempSync(join(own ? tmpdir() : "/tmp", name));
    if (account.uid !== undefined && account.gid !== undefined) chownSync(this.path, account.uid, account.gid);
    const args = ["-c", watchdogScript, "tape-watchdog", this.path];
    const stdio: StdioOptions = ["pipe", "ignore", "ignore"];
    // A group of its own: what interrupts the tests at the terminal must not reach it.
    this.#watchdog = spawn("/bin/sh", args, { cwd: "/", detached: true, stdio });
    this.#watchdog.unref();
    // Nobody waits for it, and nothing is lost when it has gone before us.
    this.#watchdog.stdin?.on("error", () => undefined);
    this.#watchdog.on("error", () => undefined);
  }

  /** The server that must not outlive us, from now on. */
  guard(pid: number | undefined): void {
    this.#watchdog.stdin?.write(`${pid ?? 0}\n`);
  }

  /** Removes the folder and ends the watchdog; the server must have ended. */
  async remove(): Promise<void> {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
    if (this.#watchdog.exitCode !== null || this.#watchdog.pid === undefined) return;
    // Waiting for it keeps this process alive, which its mere running must not.
    this.#watchdog.ref();
    const exit = once(this.#watchdog, "exit");
    this.#watchdog.stdin?.end("done\n");
    await exit;
  }
}
