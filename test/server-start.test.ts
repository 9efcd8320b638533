import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { startServer } from "../bench/server-process.ts";
import { campaign } from "./linearizability/campaign.ts";

/** A program that stands in for the server. */
async function program(source: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tape-broken-server-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "main.mjs");
  await writeFile(file, source);
  return file;
}

const storeUrl = "postgres://ada:so%20secret@127.0.0.1:1/tape";
const talkative = "console.error(`no such module; ${process.argv.join(' ')} so secret so%20secret`); process.exit(3);";

describe("a server that does not start is told by its port, with what it wrote and without the store's password", () => {
  it("when it ends", async () => {
    const failure = startServer(await program(talkative), storeUrl, 4711);
    await expect(failure).rejects.toMatchObject({ reason: "SERVER_UNAVAILABLE" });
    const { message } = (await failure.catch((error: unknown) => error)) as Error;
    expect(message).toMatch(
      /^the server on port 4711 did not start: it ended with exit code 3; it wrote:\nno such module;/,
    );
    expect(message).toContain("127.0.0.1:1/tape");
    expect(message).not.toMatch(/so(?: |%20)secret/);
  });

  it("when it stays and takes no calls; then it is ended", async () => {
    const silent = await program("console.log(`pid ${process.pid}`); setInterval(() => undefined, 1000);");
    // Enough for its first line, or too little: it is ended either way.
    const failure = startServer(silent, "memory:", 4711, {}, 1500);
    const { message } = (await failure.catch((error: unknown) => error)) as Error;
    expect(message).toContain("the server on port 4711 did not start: it took no calls within 1500 ms; it wrote");
    const pid = /pid (\d+)/.exec(message)?.[1];
    if (pid === undefined) return;
    await expect.poll(() => isThere(Number(pid)), { timeout: 30_000 }).toBe(false);
  });

  it("by the check of linearizability, which ends with it", async () => {
    const failure = campaign({
      program: await program(talkative),
      storeUrl,
      environment: {},
      isDurable: true,
      servers: 2,
      machines: 1,
      seed: 1,
      rounds: 1,
      objectsOfEach: 1,
      callsOfEach: 1,
      onViolation: () => undefined,
    });
    await expect(failure).rejects.toMatchObject({
      reason: "SERVER_UNAVAILABLE",
      message: expect.stringMatching(/^the server on port \d+ did not start: it ended with exit code 3/) as unknown,
    });
  });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
