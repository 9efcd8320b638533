import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Tape } from "../../src/model/tape.ts";
import { openTape } from "../../src/open-tape.ts";
import { runCheckup } from "../../src/cli/doctor/run-checkup.ts";
import { tape } from "../cli/run-in-process.ts";
import { findingsIn } from "./json-report.ts";

let folder: string;
let url: string;
let runId: string;
const secret = (field: string): string => `SECRET-${field}`;

/** A run with a text of its own in every field that people or payloads may be in. */
async function telltaleRun(journal: Tape): Promise<string> {
  const begun = await journal.beginRun({
    appName: secret("app"),
    userId: secret("user"),
    sessionId: secret("session"),
    invocationId: secret("invocation"),
    tenantId: secret("tenant"),
    actor: secret("actor"),
    subject: secret("subject"),
    agentId: secret("agent"),
    labels: { [secret("label")]: secret("value") },
    scopes: [secret("scope")],
    leaseOwner: secret("owner"),
  });
  const fenced = { leaseEpoch: begun.leaseEpoch };
  const run = { runId: begun.runId };
  await journal.recordDecision(
    {
      ...run,
      decisionIndex: 0,
      model: "model-1",
      requestJson: JSON.stringify(secret("request")),
      responseJson: JSON.stringify(secret("response")),
      rationale: secret("rationale"),
    },
    fenced,
  );
  const { idempotencyKey } = await journal.beginEffect(
    {
      ...run,
      decisionIndex: 0,
      toolName: "wire",
      customKey: secret("key"),
      dispatchMode: "OUTBOX",
      connector: "bank",
      businessKey: secret("business-key"),
      requestJson: JSON.stringify(secret("effect")),
    },
    fenced,
  );
  await journal.registerCompensation(
    { ...run, effectKey: idempotencyKey, kind: "refund", payloadJson: JSON.stringify(secret("obligation")) },
    fenced,
  );
  await journal.claimEffectDispatch({ ...run, idempotencyKey, claimer: secret("claimer") });
  await journal.recordDispatchAttempt({ ...run, idempotencyKey, error: secret("error"), nextDispatchAtMs: 0 });
  await journal.awaitSignal({ ...run, gateName: "approval", payloadJson: JSON.stringify(secret("gate")) }, fenced);
  return begun.runId;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tape-doctor-run-"));
  url = `sqlite:${join(folder, "tape.db")}`;
  const journal = await openTape(url, { reactors: false });
  runId = await telltaleRun(journal);
  await journal.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("tape doctor --run", () => {
  test("says how the run stands and what it needs, with the commands for it", async () => {
    const result = await tape(["doctor", "--run", runId, "--store", url, "--json", "--strict"]);
    const { all } = findingsIn(result);
    expect(all.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual([
      "run.state ok",
      "run.journal ok",
      "run.advice warn",
      "run.advice warn",
    ]);
    expect(all[2]?.mend).toEqual([
      `tape resolve ${runId} SECRET-key confirmed --store ${url}`,
      `tape resolve ${runId} SECRET-key failed --store ${url}`,
    ]);
    expect(result.code).toBe(1);
  });

  test("a run that is not there fails", async () => {
    const result = await tape(["doctor", "--run", "run-0h2m8x3v5k7q9r1t4w6y8z0b", "--store", url, "--json"]);
    expect(result.code).toBe(2);
    expect(findingsIn(result).findings["run.state"]?.mend).toEqual([expect.stringContaining("tape tail")]);
  });

  test("a journal with a gap is told", async () => {
    const journal = await openTape(url, { reactors: false });
    const torn: Tape = {
      ...journal,
      subscribeRun: async function* (request) {
        for await (const entry of journal.subscribeRun(request)) if (entry.seq !== 3) yield entry;
      },
    };
    const outcomes: string[] = [];
    for await (const finding of runCheckup(runId, { tape: torn, now: Date.now(), access: "" })(
      new AbortController().signal,
    ))
      outcomes.push(`${finding.id} ${finding.outcome} ${finding.says}`);
    expect(outcomes).toContainEqual(expect.stringMatching(/^run.journal fail entry 4 stands where 3 belongs;/));
    await journal.close();
  });
});

describe("tape doctor --dump-run", () => {
  test("shows how the run went, and no text of people or payloads", async () => {
    const { code, out } = await tape(["doctor", "--dump-run", runId, "--store", url]);
    expect(code).toBe(0);
    expect(out).not.toContain("SECRET");
    const dump = JSON.parse(out) as Record<string, unknown>;
    expect(dump).toMatchObject({
      run: { runId, status: "WAITING", appName: expect.stringMatching(/^#[0-9a-f]{10}$/) },
      effects: [{ toolName: "wire", status: "UNKNOWN", connector: "bank" }],
      obligations: [{ kind: "refund", payload: null }],
      gates: [{ gate: "approval" }],
    });
    const entries = dump["entries"] as { subject: string }[];
    expect(entries.map(({ subject }) => subject)).toContain("/tape/effect/unknown");
  });

  test("the same text has the same hash, so that what belongs together shows", async () => {
    const { out } = await tape(["doctor", "--dump-run", runId, "--store", url]);
    const dump = JSON.parse(out) as { effects: { idempotencyKey: string }[]; obligations: { effectKey: string }[] };
    expect(dump.effects[0]?.idempotencyKey).toBe(dump.obligations[0]?.effectKey);
  });
});
