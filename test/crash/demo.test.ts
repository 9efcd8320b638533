import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "vitest";
import { runDemo, startDemo } from "./run-demo.ts";

// At the same time: most of their time is waiting for leases and claims to run out.
describe.concurrent("tape demo crash", () => {
  test("agent, dispatcher and server die once each, and there is one wire", { timeout: 60_000 }, async ({ expect }) => {
    const { code, report } = await runDemo();
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
      const { code, report } = await runDemo(
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
    const { code, report } = await runDemo("--every-step", "--only", "no such place");
    expect(report).toMatchObject({ ok: false, cases: [] });
    expect(code).toBe(1);
  });

  test("an interrupted demo leaves no process and no file behind", { timeout: 60_000 }, async ({ expect }) => {
    const folder = mkdtempSync(join(tmpdir(), "tape-interrupt-"));
    try {
      const { child, exited } = startDemo({ TMPDIR: folder });
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
