import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "vitest";

const program = join(import.meta.dirname, "../../dist/cli/main.js");

interface Outcome {
  readonly code: number;
  readonly report: unknown;
}

/** Runs the demo as a user does, with a JSON report. */
function demo(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, "demo", "crash", "--json", ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code);
      if (stdout === "") reject(new Error(`no report: ${stderr}`));
      else resolve({ code, report: JSON.parse(stdout) });
    });
  });
}

// At the same time: most of their time is waiting for leases and claims to run out.
describe.concurrent("tape demo crash", () => {
  test("agent, dispatcher and server die once each, and there is one wire", { timeout: 60_000 }, async ({ expect }) => {
    const { code, report } = await demo();
    expect(report).toMatchObject({
      ok: true,
      checks: Array.from({ length: 5 }, () => ({ holds: true })),
      timeline: expect.arrayContaining([
        { who: "kill -9", what: "agent, after bank.sweep" },
        { who: "kill -9", what: "server, during the agent's recordDecision 1" },
        { who: "kill -9", what: "dispatcher, after bank.wire" },
      ]),
    });
    expect(code).toBe(0);
  });

  test(
    "a slice of every step: the server dies with an answer in its hand",
    { timeout: 120_000 },
    async ({ expect }) => {
      const { code, report } = await demo(
        "--every-step",
        "--parallel",
        "2",
        "--only",
        "server, during the dispatcher's rec",
      );
      expect(report).toMatchObject({ ok: true });
      expect(report).toHaveProperty("cases.length", 3);
      expect(code).toBe(0);
    },
  );

  test("a demo that has proved nothing says so", { timeout: 60_000 }, async ({ expect }) => {
    const { code, report } = await demo("--every-step", "--only", "no such place");
    expect(report).toMatchObject({ ok: false, cases: [] });
    expect(code).toBe(1);
  });

  test("an interrupted demo leaves no process and no file behind", { timeout: 60_000 }, async ({ expect }) => {
    const folder = mkdtempSync(join(tmpdir(), "tape-interrupt-"));
    try {
      const child = spawn(process.execPath, [program, "demo", "crash"], {
        env: { ...process.env, TMPDIR: folder },
        stdio: ["ignore", "pipe", "inherit"],
      });
      const exited = once(child, "close");
      const pids: number[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        const [, pid] = /pid (\d+)/.exec(line) ?? [];
        if (pid !== undefined) pids.push(Number(pid));
        if (line.includes("begins run-")) child.kill("SIGINT");
      }
      expect(await exited).toEqual([130, null]);
      expect(pids.length).toBeGreaterThanOrEqual(3);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
