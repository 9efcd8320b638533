import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { engineScene, newRun, type EngineScene } from "../../test/engine/engine-scene.ts";
import { settle } from "../../test/engine/scripted-store.ts";
import { partitionOf, runIdOf, taskIdOf, taskRow, runRow } from "../codec/row-id.ts";
import { TapeError } from "../errors.ts";
import type { Task } from "../model/reaction.ts";
import type { Tape } from "../model/tape.ts";
import type { AppendOutcome } from "../store/store.ts";
import { reactor } from "./reactor.ts";
import type { ReactorTrouble } from "./reactor-reports.ts";

let scene: EngineScene;
let troubles: ReactorTrouble[];
beforeEach(async () => {
  scene = await engineScene();
  troubles = [];
});
afterEach(async () => {
  await scene.close();
});

const decisions = "/tape/decision/recorded/**";
const isShardRow = (row: string): boolean => row.includes("/reaction-shard/");

/** One more server, which matches. */
function server() {
  return scene.open(
    { reactors: true, reactor: reactor((trouble) => troubles.push(trouble)) },
    { exclusive: false, atomicIndex: false },
  );
}

const react = (tape: Tape, change: object = {}) =>
  tape.registerReaction({ reactionId: "r", subjectPattern: decisions, handlerKind: "TASK", ...change });

async function decide(tape: Tape, runId: string, ...indexes: number[]): Promise<void> {
  for (const decisionIndex of indexes) await tape.recordDecision({ runId, decisionIndex, model: `${decisionIndex}` });
}

/** Lets the servers work for some time, in small steps. */
async function work(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    await scene.clock.advance(100);
    await settle();
  }
}

async function tasksOf(tape: Tape, reactionId = "r"): Promise<readonly Task[]> {
  return (await tape.listTasks({ reactionId, limit: 1000 })).tasks;
}

const modelsOf = (tasks: readonly Task[]): string[] =>
  tasks.map(({ payloadJson }) => String((JSON.parse(payloadJson) as { model: unknown }).model));

describe("a server that matches", () => {
  it("reads no feed and waits for no hint while no reaction is registered", async () => {
    const { tape, store, engine } = server();
    let tails = 0;
    let wakes = 0;
    const [tail, wake] = [store.tail.bind(store), store.wake.bind(store)];
    store.tail = (options) => {
      tails += 1;
      return tail(options);
    };
    store.wake = (options) => {
      wakes += 1;
      return wake(options);
    };
    const runId = await newRun(tape);
    await decide(tape, runId, 1, 2);
    await work(20_000);
    expect([tails, wakes, engine.stats().waitingStreams]).toEqual([0, 0, 0]);
    await react(tape);
    await work(500);
    expect(modelsOf(await tasksOf(tape))).toEqual(["1", "2"]);
    expect(wakes).toBeGreaterThan(0);
    await tape.deregisterReaction({ reactionId: "r" });
    await work(500);
    expect(engine.stats().waitingStreams).toBe(0);
  });

  it("serves every reaction that was registered elsewhere, however short the pages of their index are", async () => {
    const { tape, store } = server();
    const scan = store.scan.bind(store);
    store.scan = (index, options) => scan(index, { ...options, limit: 1 });
    const writer = scene.open({}, { exclusive: false });
    const reactions = ["one", "two", "three"];
    for (const reactionId of reactions) await react(writer.tape, { reactionId });
    await decide(writer.tape, await newRun(writer.tape), 1);
    await work(6000);
    for (const reactionId of reactions) expect(modelsOf(await tasksOf(tape, reactionId))).toEqual(["1"]);
  });

  it("writes nothing and reads little while nothing happens", async () => {
    const { tape, store } = server();
    await react(tape);
    await decide(tape, await newRun(tape), 1);
    await work(5000);
    expect(await tasksOf(tape)).toHaveLength(1);
    const [batches, reads] = [store.batches.length, store.reads.length];
    await work(60_000);
    expect([store.batches.length, store.reads.length]).toEqual([batches, reads]);
  });

  it("makes no task twice when it dies between tasks and cursor, and none is missing (R70)", async () => {
    const dying = server();
    await settle();
    const alive = dying.store.append.bind(dying.store);
    let isDead = false;
    dying.store.append = async (batch) => {
      // The tasks are durable; from the first attempt at the cursor behind them on nothing gets through.
      isDead ||= batch.some(({ row, expect: version }) => isShardRow(row) && version > 0);
      if (isDead) throw new TapeError("STORE_UNAVAILABLE", "dead");
      return alive(batch);
    };
    await react(dying.tape);
    const writer = scene.open({}, { exclusive: false });
    const runId = await newRun(writer.tape);
    await decide(writer.tape, runId, 1, 2, 3);
    await work(2000);
    expect(isDead).toBe(true);
    const before = await tasksOf(writer.tape);
    expect(modelsOf(before)).toEqual(["1", "2", "3"]);
    const [first] = before;
    await writer.tape.claimTasks({ reactionId: "r", owner: "w", max: 1 });
    await writer.tape.completeTask({ taskId: first?.taskId ?? "", owner: "w" });

    const next = server();
    await decide(writer.tape, runId, 4);
    // The lease of the dead has to expire.
    await work(25_000);
    const after = await tasksOf(writer.tape);
    expect(modelsOf(after)).toEqual(["1", "2", "3", "4"]);
    expect(after.map(({ status }) => status)).toEqual(["DONE", "PENDING", "PENDING", "PENDING"]);
    const row = taskRow(partitionOf(""), before[1]?.taskId ?? "");
    expect((await scene.memory.read(row))?.version).toBe(1);
    expect(next.engine.stats().tasksMade).toBe(1);
  });

  it("goes on behind an entry whose task is there and cannot be read", async () => {
    const writer = scene.open({}, { exclusive: false });
    const first = server();
    await react(first.tape);
    const runId = await newRun(writer.tape);
    await decide(writer.tape, runId, 1, 2, 3);
    await work(2000);
    const [task, ...others] = await tasksOf(writer.tape);
    expect(others).toHaveLength(2);
    await first.engine.close();
    const damaged = taskRow(partitionOf(""), task?.taskId ?? "");
    // Registered anew it begins with the first entry.
    await writer.tape.deregisterReaction({ reactionId: "r" });
    const next = server();
    const read = next.store.read.bind(next.store);
    next.store.read = async (row, options) => {
      const slice = await read(row, options);
      return slice === null || row !== damaged ? slice : { ...slice, head: slice.head.subarray(0, 9) };
    };
    await react(next.tape);
    await decide(writer.tape, runId, 4);
    await work(10_000);
    expect(modelsOf(await tasksOf(writer.tape))).toEqual(["1", "2", "3", "4"]);
    expect(troubles).toEqual([]);
  });

  it("resolves a task of unknown fate before the cursor passes it (R70)", async () => {
    const { tape, store } = server();
    const go = store.append.bind(store);
    let lost = 0;
    store.append = async (batch) => {
      const isTask = batch.some(({ row }) => row.includes("/task/"));
      if (!isTask || lost >= 3) return go(batch);
      lost += 1;
      return batch.map((): AppendOutcome => ({ kind: "unknown", cause: new Error("lost") }));
    };
    await react(tape);
    await decide(tape, await newRun(tape), 1, 2);
    await work(20_000);
    expect(lost).toBe(3);
    expect(modelsOf(await tasksOf(tape))).toEqual(["1", "2"]);
  });

  it("leaves a shard to the server that has it, until that closes or dies (R70)", async () => {
    const [one, two] = [server(), server()];
    await react(one.tape);
    const writer = scene.open({}, { exclusive: false });
    const runId = await newRun(writer.tape);
    const made = () => [one, two].map(({ engine }) => engine.stats().tasksMade);
    // Two looks for reactions that others registered.
    await work(6000);
    for (let i = 0; i < 20; i += 1) {
      await decide(writer.tape, runId, i);
      await work(500);
    }
    expect(made().toSorted((a, b) => a - b)).toEqual([0, 20]);
    const [owner, other] = made()[0] === 20 ? [one, two] : [two, one];
    await owner.engine.close();
    await decide(writer.tape, runId, 20);
    await work(2500);
    expect(other.engine.stats().tasksMade).toBe(1);
    expect(await tasksOf(writer.tape)).toHaveLength(21);
  });

  it("goes on with the other reactions when one cannot be matched (R70)", async () => {
    const { tape, store } = server();
    const read = store.read.bind(store);
    store.read = async (row, options) => {
      if (isShardRow(row) && row.includes("bad")) throw new TapeError("STORE_CORRUPT", "damaged");
      return read(row, options);
    };
    await react(tape, { reactionId: "bad" });
    await react(tape, { reactionId: "fails", predicateCel: "payload.nothing > 1" });
    await react(tape);
    const runId = await newRun(tape);
    await decide(tape, runId, 1);
    await work(1000);
    await decide(tape, runId, 2);
    await work(10_000);
    expect(modelsOf(await tasksOf(tape))).toEqual(["1", "2"]);
    expect(await tasksOf(tape, "bad")).toEqual([]);
    const told = troubles.map(({ kind, reactionId }) => `${kind} ${reactionId.split("/").at(-1)}`);
    expect(told.toSorted()).toEqual(["matching bad", "predicate fails"]);
    expect(JSON.stringify(troubles)).not.toContain("decision_index");
  });

  it("meets what was written after a change with the changed reaction, whoever wrote it", async () => {
    const { tape } = server();
    await react(tape, { predicateCel: "false" });
    const elsewhere = scene.open({}, { exclusive: false });
    const runId = await newRun(elsewhere.tape);
    await decide(elsewhere.tape, runId, 1);
    await work(500);
    for (let i = 2; i < 30; i += 2) {
      await react(elsewhere.tape, { predicateCel: `payload.model == "${i}"` });
      await decide(elsewhere.tape, runId, i, i + 1);
    }
    await work(3000);
    const made = modelsOf(await tasksOf(tape)).map(Number);
    // Those that were not matched before the next change may be missing; none is there that no definition wanted.
    expect(made.every((model) => model % 2 === 0 && model > 1)).toBe(true);
    expect(made).toContain(28);
  });

  it("tells of a reaction's trouble once a minute", async () => {
    const { tape, engine } = server();
    await react(tape, { predicateCel: "payload.nothing > 1" });
    const runId = await newRun(tape);
    for (let i = 0; i < 5; i += 1) {
      await decide(tape, runId, i);
      await work(15_000);
    }
    expect(troubles).toHaveLength(2);
    expect(engine.stats().predicatesFailed).toBe(5);
  });
});

describe("a server that starts runs", () => {
  const agent = { handlerKind: "AGENT", agentApp: "auditor" } as const;

  it("leaves a run alone that is there, also one that somebody drives just now (R70)", async () => {
    const { tape } = server();
    const writer = scene.open({}, { exclusive: false });
    const runId = await newRun(writer.tape);
    await decide(writer.tape, runId, 1);
    const taskId = taskIdOf("r", runRow(partitionOf(""), runId), 2);
    const begun = await writer.tape.beginRun({
      appName: "auditor",
      sessionId: taskId,
      invocationId: taskId,
      leaseOwner: "agent",
    });
    const identity = { tenantId: "", appName: "auditor", userId: "", sessionId: taskId, invocationId: taskId };
    expect(begun.runId).toBe(runIdOf(identity));
    const before = await writer.tape.getRun({ runId: begun.runId });
    await react(tape, agent);
    await work(1000);
    expect((await tasksOf(tape)).map(({ status, taskId: id }) => [status, id])).toEqual([["DONE", taskId]]);
    expect(await writer.tape.getRun({ runId: begun.runId })).toEqual(before);
  });

  it("starts each once, though it dies between run and task, and keeps to the limits", async () => {
    const dying = server();
    await react(dying.tape, { ...agent, rateLimitPerS: 2 });
    const append = dying.store.append.bind(dying.store);
    let isDead = false;
    dying.store.append = async (batch) => {
      const isSettling = batch.some(({ row, expect: version }) => row.includes("/task/") && version > 1);
      isDead ||= isSettling;
      if (isDead) throw new TapeError("STORE_UNAVAILABLE", "dead");
      return append(batch);
    };
    const writer = scene.open({}, { exclusive: false });
    const runId = await newRun(writer.tape);
    await decide(writer.tape, runId, 1, 2, 3, 4, 5);
    await work(3000);
    expect(isDead).toBe(true);
    const started = async () => (await writer.tape.listRunsToRecover({ limit: 100 })).runs.length;
    expect([1, 2]).toContain(await started());
    server();
    await work(1500);
    expect(await started()).toBeLessThan(5);
    // What the dead server had claimed is tried again when its claims have expired.
    await work(70_000);
    expect(await started()).toBe(5);
    const tasks = await tasksOf(writer.tape);
    expect(tasks.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => "DONE"));
  });
});
