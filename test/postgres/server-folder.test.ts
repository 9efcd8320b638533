import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { startPostgres } from "./postgres-server.ts";
import { watchdogScript } from "./server-folder.ts";
import { describePostgres } from "./shared-server.ts";

/** Starts the watchdog of a server and says so, as a test process does. */
const owner = `
const [script, folder, pid] = process.argv.slice(1);
const stdio = ["pipe", "ignore", "ignore"];
const watchdog = require("node:child_process").spawn("/bin/sh", ["-c", script, "tape-watchdog", folder], { detached: true, stdio });
watchdog.stdin.write(pid + "\\n", () => console.log("guarded"));
`;

describePostgres("a process that is killed", () => {
  it("takes its server with it, and the folder", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const args = ["-e", owner, watchdogScript, server.socketFolder, String(server.pid)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    expect(server.pid).toBeDefined();
    child.kill("SIGKILL");
    await expect.poll(() => existsSync(server.socketFolder)).toBe(false);
    expect(server.pid).toBeUndefined();
  });
});
