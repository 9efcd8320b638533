import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { indexName, partitionOf, runRow } from "../../src/codec/row-id.ts";
import { TapeError } from "../../src/errors.ts";
import { listKeyOf } from "../../src/journal/run/list-key.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Inspect, ListRunsRequest } from "../../src/model/inspect.ts";
import type { RunState, RunStatus } from "../../src/model/run.ts";
import type { Tape } from "../../src/model/tape.ts";
import { seededRandom, type Random } from "../../src/testing/random.ts";
import { upTo } from "../../src/testing/test-tape/assertions.ts";
import { engineScene, type EngineScene } from "../engine/engine-scene.ts";

let scene: EngineScene;
beforeEach(async () => {
  scene = await engineScene();
});
afterEach(async () => {
  await scene.close();
});

let invocations = 0;

async function begin(tape: Tape, random: Random): Promise<RunState> {
  invocations += 1;
  const { runId } = await tape.beginRun({
    appName: random.pick(["a", "b"]),
    userId: random.pick(["u", "v"]),
    sessionId: random.pick(["s", "t"]),
    invocationId: String(invocations),
  });
  return tape.getRun({ runId });
}

/** Ends a run, makes it wait or go on. */
async function change(tape: Tape, runId: string, random: Random): Promise<void> {
  try {
    const way = random.int(4);
    if (way === 0) await tape.endRun({ runId, status: random.pick(["TERMINAL", "FAILED", "CANCELLED", "STUCK"]) });
    else if (way === 1) await tape.awaitSignal({ runId, gateName: "g" }, { gateOccurrence: random.int(5) + 1 });
    else if (way === 2) await tape.sendSignal({ runId, gateName: "g" });
    else await tape.resumeRun({ runId });
  } catch (error) {
    // What its status does not allow is no change.
    if (!(error instanceof TapeError)) throw error;
  }
}

const fits = (run: RunState, { appName, userId, sessionId, statuses = [] }: ListRunsRequest): boolean =>
  (appName === undefined || run.appName === appName) &&
  (userId === undefined || run.userId === userId) &&
  (sessionId === undefined || run.sessionId === sessionId) &&
  (statuses.length === 0 || statuses.includes(run.status));

const requests = fc.record(
  {
    appName: fc.constantFrom("a", "b"),
    userId: fc.constantFrom("u", "v"),
    sessionId: fc.constantFrom("s", "t"),
    statuses: fc.uniqueArray(fc.constantFrom<RunStatus>("RUNNING", "WAITING", "RUNNABLE", "TERMINAL", "STUCK"), {
      maxLength: 3,
    }),
    pageSize: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ["pageSize"] },
);

describe("pages of runs", () => {
  it("together are the list, each run once, while runs are added and change", async () => {
    await fc.assert(
      fc.asyncProperty(requests, fc.nat(), async (request, seed) => {
        const random = seededRandom(seed);
        const { tape } = scene.open({}, { atomicIndex: random.chance(0.5), exclusive: false });
        await scene.clock.advance(1000);
        const startedFromMs = scene.clock.now();
        const there: RunState[] = [];
        for (const _ of upTo(20)) {
          there.push(await begin(tape, random));
          if (random.chance(0.5)) await scene.clock.advance(1);
          if (random.chance(0.6)) await change(tape, random.pick(there).runId, random);
        }
        const touched = new Set<string>();
        const before = await Promise.all(there.map(({ runId }) => tape.getRun({ runId })));
        const seen: RunState[] = [];
        let pageToken = "";
        do {
          const page = await tape.inspect.listRuns({ ...request, startedFromMs, pageToken });
          for (const run of page.runs) expect(run).toEqual(await tape.getRun({ runId: run.runId }));
          seen.push(...page.runs);
          pageToken = page.nextPageToken;
          await scene.clock.advance(1);
          await begin(tape, random);
          const { runId } = random.pick(there);
          touched.add(runId);
          await change(tape, runId, random);
        } while (pageToken !== "");
        const ids = seen.map(({ runId }) => runId);
        expect(new Set(ids).size).toBe(ids.length);
        expect(seen.map(({ startedAtMs }) => startedAtMs)).toEqual(
          seen.map(({ startedAtMs }) => startedAtMs).toSorted((a, b) => b - a),
        );
        expect(seen.filter((run) => !fits(run, request))).toEqual([]);
        const sure = before.filter((run) => fits(run, request) && !touched.has(run.runId));
        expect(sure.filter(({ runId }) => !ids.includes(runId))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it("are cut where a message would become too large", async () => {
    const { tape } = scene.open({ limits: { messageBytes: 200_000 } });
    const labels = Object.fromEntries(upTo(100).map((i) => [`label-${i}`, "x".repeat(500)]));
    for (const i of upTo(7)) await tape.beginRun({ appName: "app", invocationId: `large ${i}`, labels });
    const sizes: number[] = [];
    let pageToken = "";
    do {
      const { runs, nextPageToken } = await tape.inspect.listRuns({ pageToken });
      sizes.push(runs.length);
      pageToken = nextPageToken;
    } while (pageToken !== "");
    expect(sizes).toEqual([3, 3, 1]);
  });

  it("look for what no index finds among so many keys at a time, and read no rows for it", async () => {
    const { tape, store } = scene.open();
    const wanted = await tape.beginRun({ appName: "app", userId: "needle", invocationId: "wanted" });
    await scene.clock.advance(1);
    for (const half of ["a", "b"]) {
      await Promise.all(
        upTo(6000).map((i) => tape.beginRun({ appName: "app", userId: "hay", invocationId: `${half} ${i}` })),
      );
    }
    store.reads.length = 0;
    const first = await tape.inspect.listRuns({ userId: "needle", pageSize: 5 });
    expect(first).toMatchObject({ runs: [], rowsRead: 0, keysRead: 11_000 });
    const second = await tape.inspect.listRuns({ userId: "needle", pageSize: 5, pageToken: first.nextPageToken });
    expect(second.runs.map(({ runId }) => runId)).toEqual([wanted.runId]);
    expect(second).toMatchObject({ nextPageToken: "", rowsRead: 1 });
    expect(store.reads).toHaveLength(1);
  });

  it("leave out runs whose key is a leftover, and take it away where a store may have left it", async () => {
    const { tape } = scene.open({}, { atomicIndex: false });
    const { runId } = await tape.beginRun({ appName: "app", invocationId: "leftover" });
    const partition = partitionOf("");
    const index = indexName(partition, "runs", "status", "WAITING");
    const [item] = (await scene.memory.scan(indexName(partition, "runs"), { limit: 1 })).items;
    const slice = await scene.memory.read(runRow(partition, runId));
    await scene.memory.append([
      {
        row: runRow(partition, runId),
        expect: slice?.version ?? 0,
        commitId: "foreign",
        head: slice?.head ?? new Uint8Array(),
        entries: [],
        index: { add: [{ index, key: item?.key ?? "" }], remove: [] },
      },
    ]);
    const { tape: other } = scene.open({}, { atomicIndex: false, exclusive: false });
    expect((await other.inspect.listRuns({ statuses: ["WAITING"] })).runs).toEqual([]);
    expect((await scene.memory.scan(index, { limit: 1 })).items).toEqual([]);
    expect((await other.inspect.listRuns({ statuses: ["WAITING", "RUNNING"] })).runs).toMatchObject([{ runId }]);
  });

  it("give a run once whose begin was tried before, when a server died between its keys and its row", async () => {
    const { tape } = scene.open({}, { atomicIndex: false });
    const { runId } = await tape.beginRun({ appName: "app", invocationId: "tried again" });
    const run = await tape.getRun({ runId });
    const row = runRow(partitionOf(""), runId);
    const slice = await scene.memory.read(row);
    // The first attempt was made at another time, which is part of the key.
    const key = listKeyOf({ ...run, startedAtMs: run.startedAtMs - 1000 });
    const indexes = [["runs"], ["runs", "app", "app"], ["runs", "status", "RUNNING"]] as const;
    await scene.memory.append([
      {
        row,
        expect: slice?.version ?? 0,
        commitId: "foreign",
        head: slice?.head ?? new Uint8Array(),
        entries: [],
        index: { add: indexes.map((names) => ({ index: indexName(partitionOf(""), ...names), key })), remove: [] },
      },
    ]);
    const { tape: other } = scene.open({}, { atomicIndex: false, exclusive: false });
    for (const request of [{}, { appName: "app" }, { statuses: ["RUNNING"] as const }]) {
      expect((await other.inspect.listRuns(request)).runs).toMatchObject([{ runId }]);
    }
    for (const names of indexes) {
      expect((await scene.memory.scan(indexName(partitionOf(""), ...names), { limit: 9 })).items).toHaveLength(1);
    }
  });
});

describe("a token that was tampered with", () => {
  it("gives a part of the caller's own list or is refused, and writes nothing", async () => {
    const { engine, store, tape } = scene.open();
    const other = engine.tape({ partition: "other", tenant: "other" });
    const mine: string[] = [];
    for (const i of upTo(6)) {
      mine.push((await tape.beginRun({ appName: "app", invocationId: `mine ${i}`, leaseTtlMs: 1000 })).runId);
      await other.beginRun({ appName: "app", invocationId: `other ${i}`, leaseTtlMs: 1000 });
      await scene.clock.advance(1);
    }
    const [runId = ""] = mine;
    for (const i of upTo(3)) await tape.beginEffect({ runId, toolName: "t", callIndex: i });
    await scene.clock.advance(100_000);
    const commits = store.batches.length;
    const { inspect } = engine.tape(localAccess);
    for (const [list, token] of await lists(inspect, runId)) {
      await fc.assert(
        fc.asyncProperty(
          fc.nat(token.length - 1),
          fc.string({ maxLength: 2 }),
          fc.boolean(),
          async (at, text, inside) => {
            const bytes = Buffer.from(token, "base64url");
            bytes[at % bytes.length] = text.charCodeAt(0) & 0x7f;
            const changed = inside ? bytes.toString("base64url") : token.slice(0, at) + text + token.slice(at + 1);
            const found = await list(changed).catch((error: unknown) => [(error as TapeError).reason]);
            expect(found.filter((id) => !mine.includes(id) && id !== "ARGUMENT_INVALID")).toEqual([]);
          },
        ),
        { numRuns: 300 },
      );
    }
    expect(store.batches.length).toBe(commits);
  });
});

type List = (pageToken: string) => Promise<string[]>;

/** Every list with a token of its own, as the ids of the runs that it gives. */
async function lists(inspect: Inspect, runId: string): Promise<[List, string][]> {
  const options = { pageSize: 2 };
  const runs: List = async (pageToken) =>
    (await inspect.listRuns({ ...options, pageToken })).runs.map((run) => run.runId);
  const attention: List = async (pageToken) =>
    (await inspect.listAttention({ ...options, pageToken })).items.map(({ run }) => run.runId);
  const detail: List = async (pageToken) =>
    (await inspect.getRunDetail({ ...options, runId, pageToken })).effects.map((effect) => effect.runId);
  const journal: List = async (pageToken) =>
    (await inspect.readJournal({ ...options, runId, pageToken })).records.map(({ entry }) =>
      entry.seq > 0 ? runId : "",
    );
  return [
    [runs, (await inspect.listRuns(options)).nextPageToken],
    [attention, (await inspect.listAttention(options)).nextPageToken],
    [detail, (await inspect.getRunDetail({ ...options, runId })).nextPageToken],
    [journal, (await inspect.readJournal({ ...options, runId })).nextPageToken],
  ];
}
