import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectTape } from "../../src/client/connect-tape.ts";
import type { Tape } from "../../src/model/tape.ts";
import { RealServer } from "../client/real-server.ts";
import { tape } from "./run-in-process.ts";

let server: RealServer;
let client: Tape;
let env: Record<string, string>;

beforeAll(async () => {
  server = await RealServer.open();
  client = connectTape(server.url);
  env = { TAPE_SERVER: server.url };
});

afterAll(async () => {
  await client.close();
  await server[Symbol.asyncDispose]();
});

let runs = 0;

async function begin(more: { readonly sessionId?: string } = {}): Promise<{ runId: string; leaseEpoch: number }> {
  runs += 1;
  return client.beginRun({ appName: "app", userId: "ada", invocationId: `i-${runs}`, leaseOwner: "agent", ...more });
}

async function beginUnknownWire(runId: string): Promise<void> {
  const { idempotencyKey } = await client.beginEffect({
    runId,
    decisionIndex: 1,
    toolName: "wire",
    dispatchMode: "OUTBOX",
    connector: "bank",
  });
  await client.claimEffectDispatch({ runId, idempotencyKey, claimer: "d" });
  await client.recordDispatchAttempt({ runId, idempotencyKey, error: "no\nanswer", nextDispatchAtMs: 0 });
}

describe("compact", () => {
  test("removes payloads once, and not of a run that goes on", async () => {
    const { runId } = await begin();
    await client.recordDecision({ runId, decisionIndex: 0, responseJson: '"secret"' });
    const refused = await tape(["compact", runId], { env });
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("it is RUNNING; end it first");
    await client.endRun({ runId, status: "TERMINAL" });
    const done = await tape(["compact", runId], { env });
    expect(done.out).toBe(`${runId}: 8 bytes of payload removed, of 1 decisions and 0 effects among others`);
    expect((await client.getDecision({ runId, decisionIndex: 0 })).decision?.responseJson).toBe("");
    expect(await tape(["compact", runId], { env })).toEqual({
      code: 0,
      out: `${runId} has no payloads any more`,
      err: "",
    });
  });
});

describe("resolve", () => {
  test("an UNKNOWN effect by its short or whole key, once", async () => {
    const { runId } = await begin();
    await beginUnknownWire(runId);
    const key = "decision-1/wire/0";
    await expect(tape(["resolve", runId, key, "confirmed", "--result", '{"ref":"W-1"}'], { env })).resolves.toEqual({
      code: 0,
      out: `effect ${key} is CONFIRMED`,
      err: "",
    });
    const { effect } = await client.getEffect({ runId, idempotencyKey: `${runId}/${key}` });
    expect(effect).toMatchObject({ status: "CONFIRMED", responseJson: '{"ref":"W-1"}' });
    await expect(tape(["resolve", runId, `${runId}/${key}`, "failed"], { env })).resolves.toEqual({
      code: 1,
      out: "",
      err: `tape: effect ${key} is CONFIRMED already, and the first outcome wins.`,
    });
  });

  test("an effect as failed keeps why", async () => {
    const { runId } = await begin();
    await beginUnknownWire(runId);
    await tape(["resolve", runId, "decision-1/wire/0", "failed", "--result", '"no such wire"'], { env });
    const { effect } = await client.getEffect({ runId, idempotencyKey: `${runId}/decision-1/wire/0` });
    expect(effect).toMatchObject({ status: "FAILED", errorJson: '"no such wire"' });
  });

  test("a STUCK obligation by its number", async () => {
    const { runId } = await begin();
    const { idempotencyKey } = await client.beginEffect({ runId, decisionIndex: 0, toolName: "sweep" });
    const { seq } = await client.registerCompensation({ runId, effectKey: idempotencyKey, kind: "unsweep" });
    await client.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    await client.endRun({ runId, status: "COMPENSATING" });
    await client.claimObligation({ runId, obligationSeq: seq, claimer: "c" });
    await client.recordObligationAttempt({ runId, obligationSeq: seq, error: "closed", nextAttemptAtMs: 0 });
    const stuck = await tape(["show", runId], { env });
    expect(stuck.out).toContain(`tape resolve ${runId} ${seq} compensated`);
    await expect(tape(["resolve", runId, String(seq), "compensated"], { env })).resolves.toMatchObject({
      code: 0,
      out: `obligation ${seq} is COMPENSATED`,
    });
    const { out } = await tape(["show", runId], { env });
    expect(out).toContain("COMPENSATED");
    expect(out).not.toContain("tape resolve");
  });

  test.each([
    [["none", "confirmed"], 1, "does not exist"],
    [["99", "compensated"], 1, "does not exist"],
    [["x", "compensated"], 2, "is no number of an obligation"],
    [["x", "maybe"], 2, "'maybe' is no outcome"],
    [["x", "failed", "--result", "text"], 2, `Text needs its own quotes: '"text"'`],
  ])("refuses %j", async (words, code, message) => {
    const { runId } = await begin();
    const result = await tape(["resolve", runId, ...words], { env });
    expect(result).toMatchObject({ code, out: "" });
    expect(result.err).toContain(message);
    expect(result.err).not.toContain("\n");
  });
});

describe("signal", () => {
  test("answers a gate once", async () => {
    const { runId } = await begin();
    await client.awaitSignal({ runId, gateName: "approval" });
    await expect(tape(["signal", runId, "approval", '{"ok":true}'], { env })).resolves.toEqual({
      code: 0,
      out: `${runId} took the signal and is RUNNABLE`,
      err: "",
    });
    await expect(tape(["signal", runId, "approval"], { env })).resolves.toEqual({
      code: 1,
      out: "",
      err: `tape: ${runId} did not take the signal: the gate approval has its answer already.`,
    });
  });

  test("finds the run by its session, whose name may hold a slash", async () => {
    const { runId } = await begin({ sessionId: "s/1" });
    await client.awaitSignal({ runId, gateName: "approval" });
    const { out } = await tape(["signal", "app/ada/s%2F1", "approval", "true"], { env });
    expect(out).toBe(`${runId} took the signal and is RUNNABLE`);
  });
});

describe("cancel", () => {
  test("ends a run, and keeps why", async () => {
    const { runId } = await begin();
    await expect(tape(["cancel", runId, "--reason", "ordered twice"], { env })).resolves.toMatchObject({
      code: 0,
      out: `${runId} is CANCELLED`,
    });
    await expect(client.getRun({ runId })).resolves.toMatchObject({ status: "CANCELLED" });
  });

  test("does not change an end", async () => {
    const { runId } = await begin();
    await client.endRun({ runId, status: "TERMINAL" });
    const result = await tape(["cancel", runId], { env });
    expect(result).toMatchObject({ code: 1, out: "" });
    expect(result.err).toContain("TERMINAL");
  });

  test("--undo begins the compensations and says how to watch them", async () => {
    const { runId } = await begin();
    const { idempotencyKey } = await client.beginEffect({ runId, decisionIndex: 0, toolName: "sweep" });
    await client.registerCompensation({ runId, effectKey: idempotencyKey, kind: "unsweep" });
    await client.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    const { code, out, err } = await tape(["cancel", runId, "--undo", "--server", server.url]);
    expect([code, out]).toEqual([0, `${runId} is COMPENSATING`]);
    expect(err).toContain(`tape show ${runId} --server ${server.url}`);
  });
});

describe("show", () => {
  test("--json is one document, with payloads if asked", async () => {
    const { runId } = await begin();
    await client.recordDecision({ runId, decisionIndex: 0, model: "m", requestJson: '{"q":1}', responseJson: "[2]" });
    await beginUnknownWire(runId);
    const plain = JSON.parse((await tape(["show", runId, "--json"], { env })).out);
    expect(plain).toMatchObject({
      run: { runId, status: "RUNNING" },
      effects: [{ toolName: "wire", status: "UNKNOWN", dispatchAttempts: 1 }],
      entries: [{ seq: 1, payload: { app: "app" } }, { kind: "decision" }, {}, {}, { seq: 5 }],
    });
    expect(plain).not.toHaveProperty("decisions");
    const full = JSON.parse((await tape(["show", runId, "--json", "--payloads"], { env })).out);
    expect(full.decisions).toMatchObject([{ request: { q: 1 }, response: [2] }]);
  });

  test("--payloads adds what was asked and said", async () => {
    const { runId } = await begin();
    await client.recordDecision({ runId, decisionIndex: 0, model: "m", requestJson: '{"q":1}', responseJson: "[2]" });
    const { out } = await tape(["show", runId, "--payloads"], { env });
    expect(out.split("\n").slice(-3)).toEqual([
      "Payloads",
      '  decision 0  request   {"q":1}',
      "              response  [2]",
    ]);
  });

  test("shows the end of a long timeline, and all of it on demand", async () => {
    const { runId } = await begin();
    for (let charge = 0; charge < 120; charge++) await client.chargeBudget({ runId, tokens: 1 });
    const short = await tape(["show", runId], { env });
    expect(short.out).toContain("21 earlier entries; --all shows them");
    expect(short.out.match(/charged/g)).toHaveLength(100);
    const whole = await tape(["show", runId, "--all"], { env });
    expect(whole.out.match(/charged/g)).toHaveLength(120);
  });

  test("of a run that there is not says how to find one", async () => {
    await expect(tape(["show", "run-none"], { env })).resolves.toEqual({
      code: 1,
      out: "",
      err: "tape: run run-none does not exist. `tape runs` lists the runs there are.",
    });
  });
});

describe("tail", () => {
  test("from the start, filtered, as text and as JSON", async () => {
    const { runId } = await begin();
    await client.chargeBudget({ runId, usd: 0.5, tokens: 10 });
    const words = ["tail", "--from", "start", "--run", runId, "--kind", "budget", "--limit", "1"];
    const text = await tape(words, { env });
    expect(text.out).toMatch(
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  ${runId}  budget charged {10}\\$0\\.50 and 10 tokens  in all \\$0\\.50 and 10 tokens$`,
      ),
    );
    const json = await tape([...words, "--json"], { env });
    expect(JSON.parse(json.out)).toMatchObject({ runId, kind: "budget", payload: { usd: 0.5, tokens_spent: 10 } });
  });

  test("from now on, until it is interrupted", async () => {
    const stop = new AbortController();
    const { runId } = await begin();
    const lines: string[] = [];
    const tailing = tape(["tail", "--json", "--subject", "/tape/value/**"], {
      env,
      signal: stop.signal,
      onLine: (line) => {
        lines.push(line);
        stop.abort();
      },
    });
    const writing = setInterval(
      () => void client.writeValue({ namespace: runId, key: "k", valueJson: "1", ifVersion: -1 }),
      20,
    );
    try {
      await expect(tailing).resolves.toMatchObject({ code: 130, err: "" });
    } finally {
      clearInterval(writing);
    }
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ kind: "value", payload: { namespace: runId } });
  });

  test("by a predicate, together with other filters", async () => {
    const { runId } = await begin();
    for (const tokens of [1, 500, 2]) await client.chargeBudget({ runId, tokens });
    const words = ["tail", "--since", "1h", "--run", runId, "--kind", "budget", "--limit", "1", "--json"];
    const { out } = await tape([...words, "--where", "payload.tokens > 1"], { env });
    expect(JSON.parse(out)).toMatchObject({ runId, payload: { tokens: 500 } });
    const bad = await tape([...words, "--where", "payload."], { env });
    expect(bad).toMatchObject({ code: 2, out: "" });
  });

  test("behind a position", async () => {
    const { runId } = await begin();
    const { out } = await tape(["tail", "--from", "start", "--run", runId, "--limit", "1", "--json"], { env });
    const { globalSeq } = JSON.parse(out) as { globalSeq: number };
    await client.chargeBudget({ runId, tokens: 1 });
    const next = await tape(["tail", "--from", String(globalSeq), "--run", runId, "--limit", "1", "--json"], { env });
    expect(JSON.parse(next.out)).toMatchObject({ kind: "budget" });
  });

  test("hides what would move the cursor", async () => {
    const { runId } = await client.beginRun({ appName: "\u001B[2Jevil\r\nline\u202E", invocationId: `e-${runs}` });
    const { out } = await tape(["tail", "--from", "start", "--run", runId, "--limit", "1"], { env });
    expect(out).toContain(String.raw`\x1b[2Jevil ⏎ line\u{202e}`);
  });
});

describe("what cannot be reached", () => {
  test.each([
    [["show", "r", "--server", "tape://127.0.0.1:1"], {}, 69, /nothing listens there\. Check the address/],
    [["tail", "--server", "tape://127.0.0.1:1"], {}, 69, /nothing listens there/],
    [["show", "r", "--server", "http://x"], {}, 78, /^tape: --server: The server's URL cannot be used/],
    [["show", "r"], { TAPE_SERVER: "x" }, 78, /^tape: TAPE_SERVER: /],
    [["show", "r", "--store", "sqlite:./none/none.db"], {}, 73, /none\.db/],
    [["show", "r", "--store", "nothing:"], {}, 78, /there is no store of that kind/],
    [["show", "r", "--store", "memory:", "--server", "tape://x"], {}, 2, /cannot be used with option '--server/],
    [["show", "r", "--server", "tape://x.example", "--auth", "google"], {}, 78, /^tape: --auth: .*use tapes:\/\/\.$/],
    [["show", "r"], { TAPE_SERVER: "tape://x.example", TAPE_CLIENT_AUTH: "google" }, 78, /^tape: TAPE_CLIENT_AUTH: /],
    [["show", "r"], { TAPE_CLIENT_AUTH: "azure" }, 78, /^tape: TAPE_CLIENT_AUTH: "azure" is not google/],
    [["show", "r", "--auth", "azure"], {}, 2, /Allowed choices are google/],
    [["show", "r", "--auth", "google", "--token", "x"], {}, 2, /cannot be used with option '--token/],
    [["show", "r", "--auth", "google", "--audience", "a b"], {}, 78, /^tape: --audience: .*visible ASCII/],
  ])("%j is one line and a code", async (words, around, code, message) => {
    const result = await tape(words, { env: around });
    expect(result).toMatchObject({ code, out: "" });
    expect(result.err).toMatch(message);
    expect(result.err).not.toContain("\n");
  });

  test("--verbose says where, wherever it stands", async () => {
    const { err } = await tape(["show", "r", "--server", "tape://127.0.0.1:1", "--verbose"]);
    expect(err).toMatch(/^tape: TapeError: Cannot reach[^\n]*\n\s+at [\s\S]*\[SERVER_UNAVAILABLE\][\s\S]*caused by: /);
  });
});

describe("the command line itself", () => {
  test.each([
    [["sho"], "tape: unknown command 'sho' (Did you mean show?). See `tape --help`."],
    [["show"], "tape show: missing required argument 'run'. See `tape show --help`."],
    [["show", "r", "--jsn"], "tape show: unknown option '--jsn' (Did you mean --json?). See `tape show --help`."],
    [
      ["tail", "--from", "x"],
      "tape tail: --from 'x': a position is a whole number, or the word start. See `tape tail --help`.",
    ],
    [["tail", "--since", "1y"], "tape tail: --since '1y': write 30s, 10m, 2h or 7d. See `tape tail --help`."],
    [["tail", "--from", "1", "--since", "1h"], "tape: --from and --since both say where to start; give one of them"],
  ])("%j is a usage error", async (words, err) => {
    await expect(tape(words)).resolves.toEqual({ code: 2, out: "", err });
  });

  test("without a command it is the help", async () => {
    const { code, out, err } = await tape([]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^Usage: tape <command>/);
  });
});
