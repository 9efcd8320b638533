import assert from "node:assert/strict";
import type { ListRunsRequest } from "../../model/inspect.ts";
import type { RunState } from "../../model/run.ts";
import type { Tape } from "../../model/tape.ts";
import { part, refused, upTo } from "./assertions.ts";
import { agent, type Scene } from "./scene.ts";
import { rule, tenantRule, type TapeCase } from "./tape-case.ts";

/** All pages of a list, each with its token. */
async function pages(tape: Tape, request: ListRunsRequest = {}): Promise<RunState[][]> {
  const all: RunState[][] = [];
  let pageToken = "";
  do {
    const { runs, nextPageToken } = await tape.inspect.listRuns({ ...request, pageToken });
    all.push([...runs]);
    pageToken = nextPageToken;
  } while (pageToken !== "");
  return all;
}

async function listed(tape: Tape, request?: ListRunsRequest): Promise<string[]> {
  return (await pages(tape, request)).flat().map(({ runId }) => runId);
}

/** Runs that begin a millisecond apart, newest first as they are to be listed. */
async function series(t: Scene, count: number, request?: Parameters<Scene["run"]>[0]): Promise<string[]> {
  const runs: string[] = [];
  for (const _ of upTo(count)) {
    runs.unshift(await t.run(request));
    await t.clock.advance(1);
  }
  return runs;
}

/** One run in each status that a run can have, by status. */
async function oneOfEach(t: Scene): Promise<Record<string, string>> {
  const { tape } = t;
  const ended = async (status: "TERMINAL" | "FAILED" | "CANCELLED" | "STUCK"): Promise<string> => {
    const runId = await t.run();
    await tape.endRun({ runId, status });
    return runId;
  };
  const runnable = await t.waiting("gate");
  await tape.sendSignal({ runId: runnable, gateName: "gate" });
  return {
    RUNNING: await t.run(),
    WAITING: await t.waiting("gate"),
    RUNNABLE: runnable,
    TERMINAL: await ended("TERMINAL"),
    FAILED: await ended("FAILED"),
    CANCELLED: await ended("CANCELLED"),
    STUCK: await ended("STUCK"),
    COMPENSATING: (await t.undone(1)).runId,
  };
}

/** R80 and R81: lists of runs and their pages. */
export const runListCases: readonly TapeCase[] = [
  rule("R80", "runs are listed newest first, as GetRun has them", async (t) => {
    const runs = await series(t, 4);
    await t.tape.endRun({ runId: runs[1] ?? "", status: "TERMINAL" });
    const { runs: found, nextPageToken } = await t.tape.inspect.listRuns();
    assert.deepEqual(
      found.map(({ runId }) => runId),
      runs,
    );
    assert.equal(nextPageToken, "");
    assert.deepEqual(found, await Promise.all(runs.map((runId) => t.get(runId))));
  }),
  rule("R80", "an empty journal has an empty list", async (t) => {
    assert.deepEqual(part(await t.tape.inspect.listRuns({}), "runs", "nextPageToken"), { runs: [], nextPageToken: "" });
  }),
  rule("R80", "a list by status follows every change of status", async (t) => {
    const runs = await oneOfEach(t);
    for (const [status, runId] of Object.entries(runs)) {
      assert.deepEqual(await listed(t.tape, { statuses: [status as RunState["status"]] }), [runId], status);
    }
    const { RUNNING = "", WAITING = "", RUNNABLE = "" } = runs;
    await t.tape.endRun({ runId: RUNNING, status: "FAILED" });
    await t.tape.resumeRun({ runId: RUNNABLE, leaseOwner: agent });
    assert.deepEqual(await listed(t.tape, { statuses: ["RUNNING"] }), [RUNNABLE]);
    assert.deepEqual(await listed(t.tape, { statuses: ["RUNNABLE"] }), []);
    assert.deepEqual(await listed(t.tape, { statuses: ["WAITING"] }), [WAITING]);
    assert.ok((await listed(t.tape, { statuses: ["FAILED"] })).includes(RUNNING));
  }),
  rule("R80", "of several statuses runs come in one order, each once", async (t) => {
    const runs = await series(t, 6);
    for (const [i, runId] of runs.entries()) {
      if (i % 3 === 0) await t.tape.endRun({ runId, status: "CANCELLED" });
      if (i % 3 === 1) await t.tape.awaitSignal({ runId, gateName: "gate" });
    }
    assert.deepEqual(
      await listed(t.tape, { statuses: ["WAITING", "CANCELLED", "CANCELLED"], pageSize: 3 }),
      runs.filter((_, i) => i % 3 !== 2),
    );
    assert.deepEqual(await listed(t.tape, { statuses: ["WAITING", "CANCELLED", "RUNNING"] }), runs);
  }),
  rule("R80", "filters by app, user and session combine, also with a status", async (t) => {
    const there = { appName: "bank/é ~", userId: "ada", sessionId: "s%1" };
    const wanted = await t.run(there);
    await t.tape.endRun({ runId: wanted, status: "TERMINAL" });
    const other = await t.run({ ...there, sessionId: "s2" });
    await t.run({ ...there, userId: "bob" });
    await t.run({ ...there, appName: "bank" });
    const { tape } = t;
    assert.equal((await listed(tape, { appName: there.appName })).length, 3);
    assert.equal((await listed(tape, { userId: "ada" })).length, 3);
    assert.deepEqual(
      (await listed(tape, { appName: there.appName, userId: "ada" })).toSorted(),
      [wanted, other].toSorted(),
    );
    assert.deepEqual(await listed(tape, there), [wanted]);
    assert.deepEqual(await listed(tape, { ...there, statuses: ["TERMINAL"] }), [wanted]);
    assert.deepEqual(await listed(tape, { ...there, statuses: ["RUNNING"] }), []);
    assert.deepEqual(await listed(tape, { sessionId: "s2", statuses: ["RUNNING"] }), [other]);
    assert.deepEqual(await listed(tape, { appName: "nobody" }), []);
  }),
  rule("R80", "the range of starts has its first millisecond and not its last", async (t) => {
    const from = t.clock.now();
    const [third, second, first] = await series(t, 3);
    const before = t.clock.now();
    assert.deepEqual(await listed(t.tape, { startedFromMs: from, startedBeforeMs: before }), [third, second, first]);
    assert.deepEqual(await listed(t.tape, { startedFromMs: from + 1, startedBeforeMs: before - 1 }), [second]);
    assert.deepEqual(await listed(t.tape, { startedBeforeMs: from + 1, statuses: ["RUNNING"] }), [first]);
    assert.deepEqual(await listed(t.tape, { startedFromMs: before, appName: "app" }), []);
    assert.deepEqual(await listed(t.tape, { startedFromMs: before, startedBeforeMs: from }), []);
  }),
  rule("R80", "without tenants of credentials a tenant is a filter like any other", async (t) => {
    const red = await t.run({ tenantId: "red" });
    const none = await t.run();
    assert.deepEqual(await listed(t.tape, { tenantId: "red" }), [red]);
    assert.deepEqual((await listed(t.tape)).toSorted(), [red, none].toSorted());
  }),
  tenantRule("R80", "a credential lists its own tenant's runs and no others", async (t, tapeFor) => {
    const red = await tapeFor({ partition: "red", tenant: "red" });
    const blue = await tapeFor({ partition: "blue", tenant: "blue" });
    const { runId } = await red.beginRun({ appName: "app", invocationId: t.name("i") });
    await blue.beginRun({ appName: "app", invocationId: t.name("i") });
    assert.deepEqual(await listed(red), [runId]);
    assert.deepEqual(await listed(red, { tenantId: "red", statuses: ["RUNNING"] }), [runId]);
    await refused(red.inspect.listRuns({ tenantId: "blue" }), "TENANT_NOT_GRANTED");
    await refused(red.inspect.listAttention({ tenantId: "blue" }), "TENANT_NOT_GRANTED");
    await refused(blue.inspect.getRunDetail({ runId }), "RUN_NOT_FOUND");
    await refused(blue.inspect.readJournal({ runId }), "RUN_NOT_FOUND");
  }),
  rule("R80", "what is no filter is refused", async (t) => {
    const { inspect } = t.tape;
    await refused(inspect.listRuns({ statuses: ["UNSPECIFIED"] }), "ARGUMENT_INVALID");
    await refused(inspect.listRuns({ appName: "x".repeat(513) }), "SIZE_LIMIT");
    await refused(inspect.listRuns({ pageToken: "nonsense" }), "ARGUMENT_INVALID");
  }),
  rule("R81", "pages of any size together are the list", async (t) => {
    const runs = await series(t, 7);
    for (const pageSize of [1, 3, 7, 100]) {
      assert.deepEqual(await listed(t.tape, { pageSize }), runs, `pages of ${pageSize}`);
      assert.deepEqual(await listed(t.tape, { pageSize, statuses: ["RUNNING"] }), runs);
      assert.deepEqual(await listed(t.tape, { pageSize, userId: "user" }), runs);
    }
    const sizes = (await pages(t.tape, { pageSize: 3 })).map((page) => page.length);
    assert.deepEqual(sizes.slice(0, 2), [3, 3]);
  }),
  rule("R81", "a token stays good while runs are added, end and change", async (t) => {
    const runs = await series(t, 5);
    const first = await t.tape.inspect.listRuns({ pageSize: 2 });
    const later = await series(t, 2);
    await t.tape.endRun({ runId: runs[3] ?? "", status: "TERMINAL" });
    await t.tape.awaitSignal({ runId: runs[4] ?? "", gateName: "gate" });
    const { runs: rest } = await t.tape.inspect.listRuns({ pageSize: 10, pageToken: first.nextPageToken });
    assert.deepEqual(
      [...first.runs, ...rest].map(({ runId }) => runId),
      runs,
    );
    assert.deepEqual(await listed(t.tape), [...later, ...runs]);
  }),
  rule("R81", "a token is good for its own request only, of whatever page size", async (t) => {
    await series(t, 3);
    const { inspect } = t.tape;
    const { nextPageToken: pageToken } = await inspect.listRuns({ pageSize: 1, appName: "app" });
    const { runs } = await inspect.listRuns({ pageSize: 5, appName: "app", pageToken });
    assert.equal(runs.length, 2);
    await refused(inspect.listRuns({ pageToken }), "ARGUMENT_INVALID");
    await refused(inspect.listRuns({ appName: "app", statuses: ["RUNNING"], pageToken }), "ARGUMENT_INVALID");
    await refused(inspect.listAttention({ pageToken }), "ARGUMENT_INVALID");
    await refused(inspect.readJournal({ runId: runs[0]?.runId ?? "", pageToken }), "ARGUMENT_INVALID");
    await refused(inspect.getRunDetail({ runId: runs[0]?.runId ?? "", pageToken }), "ARGUMENT_INVALID");
  }),
  rule("R80", "says what a page cost: as many keys and rows as it has runs, however many there are", async (t) => {
    await series(t, 12);
    for (const request of [{}, { appName: "app" }, { statuses: ["RUNNING"] as const }]) {
      const { runs, keysRead, rowsRead } = await t.tape.inspect.listRuns({ ...request, pageSize: 3 });
      assert.deepEqual([runs.length, rowsRead], [3, 3]);
      // A store may give a page of keys in parts, and the last part is asked for as a whole page.
      assert.ok(keysRead >= 3 && keysRead < 6, `${keysRead} keys for 3 runs of 12`);
    }
  }),
];
