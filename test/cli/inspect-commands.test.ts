import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { connectTape } from "../../src/client/connect-tape.ts";
import type { Tape } from "../../src/model/tape.ts";
import { openTape } from "../../src/open-tape.ts";
import { RealServer } from "../client/real-server.ts";
import { tape } from "./run-in-process.ts";

let server: RealServer;
let client: Tape;
let env: Record<string, string>;

beforeEach(async () => {
  server = await RealServer.open();
  client = connectTape(server.url);
  env = { TAPE_SERVER: server.url };
});

afterEach(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

let invocations = 0;

async function begin(request: { appName?: string; userId?: string; sessionId?: string } = {}): Promise<string> {
  invocations += 1;
  const { runId } = await client.beginRun({
    appName: "app",
    invocationId: String(invocations),
    leaseOwner: "agent",
    ...request,
  });
  return runId;
}

async function loseWire(runId: string): Promise<string> {
  const { idempotencyKey } = await client.beginEffect({
    runId,
    decisionIndex: 1,
    toolName: "wire",
    dispatchMode: "OUTBOX",
    connector: "bank",
    businessKey: "invoice 4711",
  });
  await client.claimEffectDispatch({ runId, idempotencyKey, claimer: "d" });
  await client.recordDispatchAttempt({ runId, idempotencyKey, error: "no\nanswer", nextDispatchAtMs: 0 });
  return idempotencyKey;
}

describe("runs", () => {
  test("lists the newest first, with what each is doing", async () => {
    const ended = await begin({ userId: "ada", sessionId: "s" });
    await client.endRun({ runId: ended, status: "TERMINAL" });
    const waiting = await begin();
    await client.awaitSignal({ runId: waiting, gateName: "approval" });
    const running = await begin({ appName: "evil\u001B[2J" });
    const { code, out, err } = await tape(["runs"], { env });
    expect([code, err]).toEqual([0, ""]);
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^status +run +app +started$/);
    // Runs that began in one millisecond come in any order.
    expect(lines).toContainEqual(
      expect.stringMatching(new RegExp(`^RUNNING +${running} +evil\\\\x1b\\[2J +0.* ago +held by agent$`)),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(new RegExp(`^WAITING +${waiting} +app +0.* ago +at gate approval$`)),
    );
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^TERMINAL +${ended} +app/ada/s +0.* ago +after 0`)));
    expect(lines).toHaveLength(4);
  });

  test("filters combine, and --json is one document a line", async () => {
    const wanted = await begin({ appName: "shop", userId: "ada", sessionId: "s" });
    await begin({ appName: "shop", userId: "bob" });
    const ended = await begin({ appName: "shop", userId: "ada", sessionId: "s" });
    await client.endRun({ runId: ended, status: "FAILED" });
    const words = ["runs", "--app", "shop", "--user", "ada", "--session", "s", "--since", "1h", "--json"];
    const ids = async (...more: string[]): Promise<string[]> => {
      const { out } = await tape([...words, ...more], { env });
      return out.split("\n").map((line) => (JSON.parse(line) as { runId: string }).runId);
    };
    expect(await ids("--status", "running")).toEqual([wanted]);
    expect((await ids("--status", "running,failed")).toSorted()).toEqual([wanted, ended].toSorted());
    expect((await ids("--status", "RUNNING", "--status", "failed")).toSorted()).toEqual([wanted, ended].toSorted());
    const none = await tape(["runs", "--status", "stuck"], { env });
    expect(none).toEqual({ code: 0, out: "", err: "There are no such runs." });
  });

  test("--limit stops, and --explain tells what it cost", async () => {
    for (let run = 0; run < 7; run += 1) await begin();
    const { out, err } = await tape(["runs", "--limit", "3", "--explain"], { env });
    expect(out.split("\n")).toHaveLength(4);
    expect(err).toMatch(/^3 runs in \d+\.\d ms: 3 index keys and 3 rows read in 1 page$/);
  });

  test("--watch prints again until it is interrupted", async () => {
    const stop = new AbortController();
    const runId = await begin();
    const { code, out } = await tape(["runs", "--watch", "--json"], {
      env,
      signal: stop.signal,
      onLine: (line) => line === "" && stop.abort(),
    });
    expect(code).toBe(130);
    expect(JSON.parse(out)).toMatchObject({ runId });
  });

  test("works on a store without a server, without writing to it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tape-runs-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const store = `sqlite:${join(folder, "tape.db")}`;
    const opened = await openTape(store);
    const { runId } = await opened.beginRun({ appName: "app", invocationId: "i" });
    await opened.close();
    const { out } = await tape(["runs", "--store", store, "--json"]);
    expect(JSON.parse(out)).toMatchObject({ runId, seqCursor: 1 });
  });

  test.each([
    [["runs", "--status", "ended"], /tape runs: --status 'ended': it is one of runnable, running, waiting/],
    [["runs", "--limit", "0"], /tape runs: --limit '0': ask for at least 1/],
    [["runs", "--since", "soon"], /write 30s, 10m, 2h or 7d/],
  ])("%j is a usage error", async (words, err) => {
    expect(await tape(words, { env })).toMatchObject({ code: 2, out: "", err: expect.stringMatching(err) });
  });
});

describe("attention", () => {
  test("is quiet, with code 0, when nothing needs anybody", async () => {
    await begin();
    expect(await tape(["attention"], { env })).toEqual({ code: 0, out: "", err: "Nothing needs you." });
  });

  test("lists an UNKNOWN effect, with code 1 and the commands that mend it", async () => {
    const runId = await begin();
    await loseWire(runId);
    const { code, out } = await tape(["attention", "--server", server.url]);
    expect(code).toBe(1);
    expect(out.split("\n")).toEqual([
      expect.stringMatching(new RegExp(`^UNKNOWN effect of ${runId}  app  since 20.*, 0\\.`)),
      "  Nobody knows whether decision-1/wire/0 happened. Find out at bank by its business key invoice 4711, then say so:",
      `    tape resolve ${runId} decision-1/wire/0 confirmed --server ${server.url}`,
      `    tape resolve ${runId} decision-1/wire/0 failed --server ${server.url}`,
    ]);
  });

  test("the commands of --json mend it", async () => {
    const runId = await begin();
    await loseWire(runId);
    const { out } = await tape(["attention", "--json"], { env });
    const item = JSON.parse(out) as { kind: string; commands: string[] };
    expect(item).toMatchObject({ kind: "EFFECT_UNKNOWN", run: { runId }, effect: { status: "UNKNOWN" } });
    expect(item).not.toHaveProperty("effect.requestJson");
    const [command = ""] = item.commands;
    expect((await tape(command.split(" ").slice(1), { env })).code).toBe(0);
    expect((await tape(["attention"], { env })).code).toBe(0);
  });

  test("has code 2 when something is STUCK, and its commands mend it", async () => {
    const runId = await begin();
    const { idempotencyKey } = await client.beginEffect({ runId, decisionIndex: 0, toolName: "sweep" });
    const { seq } = await client.registerCompensation({ runId, effectKey: idempotencyKey, kind: "unsweep" });
    await client.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    await client.endRun({ runId, status: "COMPENSATING" });
    await client.claimObligation({ runId, obligationSeq: seq, claimer: "c" });
    await client.recordObligationAttempt({ runId, obligationSeq: seq, error: "closed", nextAttemptAtMs: 0 });
    const { code, out } = await tape(["attention"], { env });
    expect(code).toBe(2);
    expect(out).toContain(`STUCK run of ${runId}`);
    expect(out).toContain(`Obligation ${seq} (unsweep of decision-0/sweep/0) could not be met: closed.`);
    const mend = out.split("\n").find((line) => line.includes("compensated")) ?? "";
    expect((await tape(mend.trim().split(" ").slice(1), { env })).code).toBe(0);
    expect((await tape(["attention"], { env })).code).toBe(0);
  });

  test("lists runs that nobody resumes, for as long as one says", async () => {
    await client.beginRun({ appName: "app", invocationId: "left", leaseTtlMs: 1000 });
    const late = async (): Promise<unknown> => (await tape(["attention", "--recoverable-for", "1ms"], { env })).code;
    expect((await tape(["attention"], { env })).code).toBe(0);
    await expect.poll(late).toBe(1);
  });
});

describe("values", () => {
  test("are written, read and followed", async () => {
    expect(await tape(["values", "set", "limits", "daily", "1000"], { env })).toMatchObject({
      code: 0,
      out: "limits/daily is at version 1",
    });
    const words = ["values", "set", "limits", "daily", '{"usd": 900}', "--if-version"];
    expect(await tape([...words, "7"], { env })).toMatchObject({ code: 1, out: "" });
    expect((await tape([...words, "1"], { env })).out).toBe("limits/daily is at version 2");
    expect(await tape(["values", "get", "limits", "daily"], { env })).toEqual({
      code: 0,
      out: '{"usd": 900}',
      err: "limits/daily is at version 2",
    });
    const json = await tape(["values", "get", "limits", "daily", "--json"], { env });
    expect(JSON.parse(json.out)).toMatchObject({ value: { usd: 900 }, version: 2 });
    const watched = await tape(["values", "watch", "limits", "daily", "--from", "1", "--limit", "1", "--json"], {
      env,
    });
    expect(JSON.parse(watched.out)).toMatchObject({ value: { usd: 900 }, previous: { version: 1, value: 1000 } });
    const text = await tape(["values", "watch", "limits", "daily", "--limit", "1"], { env });
    expect(text.out).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}2 {2}\{"usd": 900\}$/);
  });

  test("that are not there are code 1", async () => {
    expect(await tape(["values", "get", "limits", "none"], { env })).toEqual({
      code: 1,
      out: "",
      err: "tape: there is no value limits/none.",
    });
  });
});

describe("sessions", () => {
  test("are listed, and printed with state and latest events", async () => {
    await client.createSession({ appName: "shop", userId: "ada", sessionId: "s/1", stateJson: '{"cart":[1]}' });
    for (const author of ["ada", "model"]) {
      await client.appendEvent({
        appName: "shop",
        userId: "ada",
        sessionId: "s/1",
        event: { author, contentJson: '"hello"' },
      });
    }
    const list = await tape(["sessions", "list", "shop", "ada"], { env });
    expect(list.out.split("\n")[1]).toMatch(/^shop\/ada\/s%2F1 +0.* ago +\{"cart":\[1\]\}$/);
    const page = await tape(["sessions", "show", "shop/ada/s%2F1", "--events", "1"], { env });
    expect(page.out).toMatch(/State\n {2}cart {2}\[1\]\n\nEvents\n {2}20.* model {2}"hello"$/);
    const json = await tape(["sessions", "show", "shop/ada/s%2F1", "--json"], { env });
    expect(JSON.parse(json.out)).toMatchObject({
      sessionId: "s/1",
      state: { cart: [1] },
      events: [{ author: "ada", content: "hello" }, { author: "model" }],
    });
    expect((await tape(["sessions", "list", "shop", "bob"], { env })).err).toBe("There are no such sessions.");
  });

  test.each([
    ["shop/ada/none", 1, "tape: there is no session shop/ada/none."],
    ["shop", 2, expect.stringContaining("is no session: write app/user/session")],
    ["shop/ada/%", 2, expect.stringContaining("is no session: write app/user/session")],
  ])("%s is code %i", async (address, code, err) => {
    expect(await tape(["sessions", "show", address], { env })).toEqual({ code, out: "", err });
  });
});
