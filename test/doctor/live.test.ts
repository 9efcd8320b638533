import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/engine/clock.ts";
import { openTape } from "../../src/open-tape.ts";
import { connectTape } from "../../src/client/connect-tape.ts";
import { RealServer } from "../client/real-server.ts";
import { type CliResult, tape } from "../cli/run-in-process.ts";
import { findingsIn, type JsonReport } from "./json-report.ts";

const minute = 60_000;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tape-doctor-live-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function doctor(...words: string[]): Promise<CliResult & JsonReport> {
  const result = await tape(["doctor", "--live", "--no-self-test", "--json", ...words]);
  return { ...result, ...findingsIn(result) };
}

/** A journal ten minutes ago, with one thing of each kind that somebody should have seen to since. */
async function neglected(url: string): Promise<Readonly<Record<"unknown" | "stuck" | "left", string>>> {
  const earlier = Date.now() - 10 * minute;
  const journal = await openTape(url, { reactors: false, clock: { ...systemClock, now: () => earlier } });
  const begin = async (invocationId: string): Promise<{ runId: string; fenced: { leaseEpoch: number } }> => {
    const { runId, leaseEpoch } = await journal.beginRun({
      appName: "app",
      userId: "u",
      invocationId,
      scopes: ["pay"],
      leaseTtlMs: minute,
    });
    return { runId, fenced: { leaseEpoch } };
  };
  const outbox = { dispatchMode: "OUTBOX", connector: "bank", toolName: "wire" } as const;

  const unknown = await begin("unknown");
  const act = { semantics: "NON_IDEMPOTENT", scope: "pay" } as const;
  const { idempotencyKey } = await journal.beginEffect({ runId: unknown.runId, ...outbox, ...act }, unknown.fenced);
  const address = { runId: unknown.runId, idempotencyKey };
  await journal.claimEffectDispatch({ ...address, claimer: "d" });
  await journal.recordDispatchAttempt({ ...address, nextDispatchAtMs: 0 });

  const left = await begin("left");
  await journal.beginEffect({ runId: left.runId, ...outbox }, left.fenced);
  await journal.setTimer({ runId: left.runId, timerId: "t", kind: "remind", fireAtMs: earlier + 1 }, left.fenced);

  for (const name of ["stuck", "compensating"]) {
    const { runId, fenced } = await begin(name);
    const { idempotencyKey: effectKey } = await journal.beginEffect({ runId, toolName: "book" }, fenced);
    await journal.completeEffect({ runId, idempotencyKey: effectKey, status: "CONFIRMED" }, fenced);
    const { seq } = await journal.registerCompensation({ runId, effectKey, kind: "cancel" }, fenced);
    await journal.endRun({ runId, status: "COMPENSATING" }, fenced);
    if (name === "compensating") continue;
    await journal.claimObligation({ runId, obligationSeq: seq, claimer: "c" });
    await journal.resolveObligation({ runId, obligationSeq: seq, status: "STUCK" });
  }
  const { items } = await journal.inspect.listAttention({ kinds: ["RUN_STUCK"] });
  await journal.close();
  return { unknown: unknown.runId, stuck: items[0]?.run.runId ?? "", left: left.runId };
}

describe("tape doctor --live", () => {
  test("tells everything that somebody should have seen to, with the commands for it", async () => {
    const url = `sqlite:${join(folder, "neglected.db")}`;
    const runs = await neglected(url);
    const { code, findings, all } = await doctor("--store", url);
    expect(code).toBe(2);
    const live = all.filter(({ id }) => id.startsWith("live."));
    expect(live.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      "live.unknown warn",
      "live.stuck fail",
      "live.recoverable warn",
      "live.timers warn",
      "live.dispatch warn",
      "live.compensation warn",
      "live.feed ok",
    ]);
    expect(findings["live.unknown"]).toMatchObject({
      says: expect.stringMatching(/^1 effect is UNKNOWN, the oldest since 1\dm/),
      mend: [`tape resolve ${runs.unknown} decision-0/wire/0 confirmed --store ${url}   # or failed`],
    });
    expect(findings["live.stuck"]?.mend).toEqual([`tape show ${runs.stuck} --store ${url}`]);
    expect(findings["live.timers"]?.says).toMatch(/^1 timer is overdue \(remind\)/);
    expect(findings["live.dispatch"]).toMatchObject({
      says: expect.stringMatching(/^1 outbox effect is overdue \(bank\)/),
      mend: ["# start a dispatcher for bank", `tape show ${runs.left} --store ${url}`],
    });
    expect(findings["live.compensation"]?.says).toMatch(/^1 compensation is overdue \(cancel\)/);
  });

  test("is content with a journal in which everybody does what they should", async () => {
    const url = `sqlite:${join(folder, "tidy.db")}`;
    const journal = await openTape(url, { reactors: false });
    const { runId, leaseEpoch } = await journal.beginRun({ appName: "a", userId: "u", invocationId: "i" });
    await journal.setTimer({ runId, timerId: "t", kind: "remind", fireAtMs: Date.now() + minute }, { leaseEpoch });
    await journal.close();
    const { code, all } = await doctor("--store", url, "--strict");
    expect(all.filter(({ outcome }) => outcome === "warn" || outcome === "fail")).toEqual([]);
    expect(code).toBe(0);
  });

  test("asks a server where one is named, and only it", async () => {
    await using server = await RealServer.open();
    const { code, all } = await doctor("--server", server.url);
    expect(code).toBe(0);
    expect(all.map(({ id }) => id)).toEqual([
      "server.ready",
      "live.unknown",
      "live.stuck",
      "live.recoverable",
      "live.timers",
      "live.dispatch",
      "live.compensation",
      "live.feed",
    ]);
    expect(all[0]?.says).toMatch(/^Tape .+ on memory \(format \d+\), [\d.]+ ms to its store$/);
  });

  test("says once that a server is not there, or does not let us in", async () => {
    const credentials = [{ token: "the-right-token-0001", tenant: null }];
    await using server = await RealServer.open({ auth: "token", credentials });
    const refused = await doctor("--server", server.url, "--token", "the-wrong-token-0001");
    expect(refused.all).toMatchObject([{ id: "server.ready", outcome: "fail" }]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.out).not.toContain("the-wrong-token");
    await expect(doctor("--server", server.url, "--token", "the-right-token-0001")).resolves.toMatchObject({ code: 0 });
    await server.stop();
    const gone = await doctor("--server", server.url);
    expect(gone.all).toMatchObject([
      { id: "server.ready", outcome: "fail", says: expect.stringContaining("nothing listens") },
    ]);
  });

  test("a run of a server is looked at too", async () => {
    await using server = await RealServer.open();
    const client = connectTape(server.url);
    const { runId } = await client.beginRun({ appName: "a", userId: "u", invocationId: "i" });
    await client.close();
    const result = await tape(["doctor", "--json", "--server", server.url, "--run", runId]);
    expect(findingsIn(result).all.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      "server.ready ok",
      "run.state ok",
      "run.journal ok",
      "run.advice ok",
    ]);
  });
});
