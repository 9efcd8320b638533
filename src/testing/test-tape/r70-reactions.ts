import assert from "node:assert/strict";
import type { Reaction } from "../../model/reaction.ts";
import { part, refused, refusedAs, upTo } from "./assertions.ts";
import { busRule, claim, inFeed, matched, modelOf, react, taskNow, tasksOf, withTasks, write, written } from "./bus.ts";
import { follow } from "./stream.ts";
import { type TapeCase } from "./tape-case.ts";

/** What a reaction is like when nothing else is said. */
const plain = {
  name: "",
  subjectPattern: written,
  predicateCel: "",
  handlerKind: "TASK",
  agentApp: "",
  publishTarget: "",
  maxConcurrency: 0,
  rateLimitPerS: 0,
  debounceMs: 0,
  retryMax: 0,
  retryBackoffMs: 0,
  dlqAfterN: 0,
  numShards: 1,
  bootstrapFromHead: false,
  deleted: false,
} as const;

const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

const malformed: readonly (readonly [string, Partial<Reaction>])[] = [
  ["no id", { reactionId: "" }],
  ["no handler", { handlerKind: "UNSPECIFIED" }],
  ["an agent without an app", { handlerKind: "AGENT" }],
  ["a publication without a target", { handlerKind: "PUBLISH" }],
  ["** in the middle", { subjectPattern: "/tape/**/recorded" }],
  ["a pattern without its /", { subjectPattern: "tape/decision" }],
  ["half a wildcard", { subjectPattern: "/tape/dec*/recorded" }],
  ["a predicate that does not compile", { predicateCel: "kind ==" }],
  ["a predicate of unknown names", { predicateCel: "knid == 'run'" }],
  ["a predicate of unknown functions", { predicateCel: "kind.reverse() == 'nur'" }],
  ["a loop within a loop", { predicateCel: "payload.a.all(x, payload.a.all(y, x == y))" }],
  ["a predicate of many parts", { predicateCel: `seq in [${upTo(1000).join(",")}]` }],
  ["a predicate of many bytes", { predicateCel: `kind == "${"x".repeat(5000)}"` }],
  ["a predicate that is nested deeply", { predicateCel: `${"(".repeat(2000)}true${")".repeat(2000)}` }],
  ...(
    ["maxConcurrency", "rateLimitPerS", "debounceMs", "retryMax", "retryBackoffMs", "dlqAfterN", "numShards"] as const
  ).flatMap((field) => [
    [`a negative ${field}`, { [field]: -1 }] as const,
    [`a huge ${field}`, { [field]: 2 ** 31 - 1 }] as const,
  ]),
];

/** R70: reactions, and the tasks that they make. */
export const reactionCases: readonly TapeCase[] = [
  busRule("R70", "a reaction is registered as it was asked for, and the same again changes nothing", async (t) => {
    const createdAtMs = t.clock.now();
    const request: Reaction = {
      reactionId: "r",
      name: "refunds",
      subjectPattern: "/tape/effect/failed/*/*",
      predicateCel: 'payload.tool == "wire"',
      handlerKind: "PUBLISH",
      publishTarget: "topic",
      maxConcurrency: 2,
      rateLimitPerS: 3,
      debounceMs: 4,
      retryMax: 5,
      retryBackoffMs: 6,
      dlqAfterN: 7,
      numShards: 8,
    };
    const expected = { ...plain, ...request, createdAtMs };
    assert.deepEqual(await t.tape.registerReaction(request), expected);
    await t.clock.advance(10);
    assert.deepEqual(await t.tape.registerReaction(request), expected);
    await react(t, { reactionId: "q" });
    const other = { ...plain, reactionId: "q", createdAtMs: createdAtMs + 10 };
    assert.deepEqual((await t.tape.listReactions()).reactions, [other, expected]);
  }),
  busRule("R70", "what is malformed is refused, and nothing is registered", async (t) => {
    for (const [what, change] of malformed) {
      const request: Reaction = { reactionId: "r", subjectPattern: written, handlerKind: "TASK", ...change };
      const error = await refusedAs(t.tape.registerReaction(request), "INVALID_ARGUMENT");
      assert.ok(error.message.length > 10, what);
    }
    await refused(react(t, { reactionId: "r".repeat(600) }), "SIZE_LIMIT");
    assert.deepEqual((await t.tape.listReactions()).reactions, []);
    await refused(t.tape.claimTasks({ reactionId: "r", owner: "worker" }), "REACTION_NOT_FOUND");
  }),
  busRule("R70", "reactions are listed by a pattern that covers theirs", async (t) => {
    const patterns = ["", "/tape/run/**", "/tape/run/failed/*/*/*/*", "/tape/effect/*/**"];
    for (const subjectPattern of patterns) await react(t, { subjectPattern });
    const listed = async (subjectPattern?: string): Promise<string[]> =>
      (await t.tape.listReactions({ subjectPattern })).reactions.map((reaction) => reaction.subjectPattern);
    assert.deepEqual(await listed(), patterns);
    assert.deepEqual(await listed("/tape/run/**"), ["/tape/run/**", "/tape/run/failed/*/*/*/*"]);
    assert.deepEqual(await listed("/tape/*/*/**"), ["/tape/run/failed/*/*/*/*", "/tape/effect/*/**"]);
    await refusedAs(listed("/tape/**/x"), "INVALID_ARGUMENT");
  }),

  busRule("R70", "a matching entry makes one task, which says where it comes from", async (t) => {
    const reactionId = await react(t);
    const runId = await t.run();
    const decision = { runId, decisionIndex: 3, model: "m" };
    await t.tape.recordDecision(decision, { traceparent });
    const [task] = await tasksOf(t, reactionId, 1);
    assert.ok(task);
    const stream = follow((signal) => t.tape.subscribeEvents({ runId, kind: "decision" }, { signal }));
    const entry = await stream.next();
    await stream.leave();
    assert.deepEqual(task, {
      taskId: task.taskId,
      reactionId,
      shard: 0,
      sourceRunId: runId,
      sourceGlobalSeq: entry.globalSeq,
      subject: entry.subject,
      payloadJson: entry.payloadJson,
      status: "PENDING",
      attempts: 0,
      nextAttemptAtMs: task.createdAtMs,
      leaseOwner: "",
      leaseExpiresAtMs: 0,
      lastError: "",
      createdAtMs: task.createdAtMs,
      traceId: "a".repeat(32),
      parentSpanId: entry.spanId,
    });
    assert.equal((await matched(t, reactionId, 1))[0]?.taskId, task.taskId);
  }),
  busRule("R70", "pattern and predicate combine, and each reaction makes its own tasks", async (t) => {
    const all = await react(t);
    const some = await react(t, { predicateCel: 'payload.model in ["b", "last"]' });
    const none = await react(t, { subjectPattern: "/tape/decision/nothing/**" });
    const runs = await react(t, { subjectPattern: "/tape/run/running/**" });
    const runId = await write(t, ["a", "b"]);
    assert.deepEqual((await matched(t, all, 2)).map(modelOf), ["a", "b"]);
    assert.deepEqual((await tasksOf(t, some, 2)).map(modelOf), ["b", "last"]);
    const begun = await tasksOf(t, runs, 2);
    assert.equal(begun[0]?.sourceRunId, runId);
    assert.deepEqual(await tasksOf(t, none, 0), []);
    const { tasks } = await t.tape.listTasks();
    assert.equal(new Set(tasks.map((task) => task.taskId)).size, 3 + 2 + 2);
  }),
  busRule("R70", "an entry on which a predicate fails does not match, and stops nothing", async (t) => {
    const bad = await react(t, { predicateCel: "1 / (payload.decision_index - payload.decision_index) == 1" });
    const odd = await react(t, { predicateCel: 'payload.nothing == "x" || payload.model == "last"' });
    const good = await react(t);
    await write(t, ["a", "b"]);
    assert.deepEqual((await matched(t, good, 2)).map(modelOf), ["a", "b"]);
    assert.deepEqual((await tasksOf(t, odd, 1)).map(modelOf), ["last"]);
    assert.deepEqual(await tasksOf(t, bad, 0), []);
  }),
  busRule("R70", "entries of values and sessions make tasks without a run", async (t) => {
    const values = await react(t, { subjectPattern: "/tape/value/**" });
    const events = await react(t, { subjectPattern: "/tape/event/appended/**" });
    await t.tape.writeValue({ namespace: "n", key: "k", valueJson: "1" });
    await t.tape.deleteValue({ namespace: "n", key: "k" });
    const session = { appName: "app", userId: "user", sessionId: "s" };
    await t.tape.createSession(session);
    await t.tape.appendEvent({ ...session, event: { id: "e" } });
    assert.deepEqual(
      (await tasksOf(t, values, 2)).map((task) => part(task, "sourceRunId", "subject")),
      ["changed", "deleted"].map((verb) => ({ sourceRunId: "", subject: `/tape/value/${verb}/n/k` })),
    );
    assert.deepEqual(
      (await tasksOf(t, events, 1)).map(({ sourceRunId }) => sourceRunId),
      [""],
    );
  }),
  busRule("R70", "a new reaction starts with the first entry, or behind the last one if asked", async (t) => {
    const before = await write(t, ["old"]);
    await inFeed(t, before, 1);
    const all = await react(t);
    const fresh = await react(t, { bootstrapFromHead: true });
    await write(t, ["new"]);
    assert.deepEqual((await tasksOf(t, all, 2)).map(modelOf), ["old", "new"]);
    assert.deepEqual((await matched(t, fresh, 1)).map(modelOf), ["new"]);
  }),
  busRule("R70", "what the bus does is not in the feed", async (t) => {
    const all = await react(t, { subjectPattern: "" });
    const runId = await t.run();
    const [task] = await tasksOf(t, all, 1);
    await claim(t, all);
    await t.tape.completeTask({ taskId: task?.taskId ?? "", owner: "worker" });
    await t.tape.endRun({ runId, status: "TERMINAL" });
    assert.deepEqual(
      (await tasksOf(t, all, 2)).map(({ subject }) => subject.split("/")[3]),
      ["running", "terminal"],
    );
  }),

  busRule("R70", "several servers make one task of each entry", async (t) => {
    const reactionId = await react(t, { numShards: 2 });
    const servers = [t.tape, await t.other(1), await t.other(2)];
    const runs = [await t.run(), await t.run()];
    await Promise.all(
      servers.flatMap((tape, server) =>
        runs.map((runId) => tape.recordDecision({ runId, decisionIndex: server, model: `${server}` })),
      ),
    );
    const tasks = await matched(t, reactionId, 6);
    assert.deepEqual(tasks.map(modelOf).toSorted(), ["0", "0", "1", "1", "2", "2"]);
  }),
  busRule("R70", "all entries of a run are in one shard, and claims take one shard or any", async (t) => {
    const reactionId = await react(t, { numShards: 3 });
    const runs = await Promise.all(upTo(8).map(() => write(t, ["a", "b"])));
    const tasks = await tasksOf(t, reactionId, 16);
    const shards = new Map(tasks.map((task) => [task.sourceRunId, task.shard]));
    assert.ok(tasks.every((task) => task.shard >= 0 && task.shard < 3 && task.shard === shards.get(task.sourceRunId)));
    const used = new Set(shards.values());
    assert.ok(used.size > 1, `${runs.length} runs should be in several shards`);
    const [first, ...others] = [...used];
    const own = await claim(t, reactionId, { shard: first });
    assert.equal(own.length, tasks.filter(({ shard }) => shard === first).length);
    assert.ok(own.every(({ shard }) => shard === first));
    const rest = await claim(t, reactionId, { shard: -1 });
    assert.deepEqual(
      new Set(rest.map(({ shard }) => shard)),
      new Set(others),
      "what the first claim has is not claimed again",
    );
    await refusedAs(claim(t, reactionId, { shard: 3 }), "INVALID_ARGUMENT");
  }),

  busRule("R70", "a changed definition holds for later entries; the number of shards cannot change", async (t) => {
    const reactionId = await withTasks(t, 1, { predicateCel: 'payload.model != "b"' });
    const [before] = (await t.tape.listReactions()).reactions;
    await t.clock.advance(10);
    const changed: Reaction = {
      reactionId,
      subjectPattern: written,
      handlerKind: "TASK",
      predicateCel: 'payload.model != "a"',
      bootstrapFromHead: true,
    };
    assert.deepEqual(await t.tape.registerReaction(changed), {
      ...plain,
      ...changed,
      createdAtMs: before?.createdAtMs,
    });
    await write(t, ["a", "b"]);
    assert.deepEqual((await matched(t, reactionId, 2)).map(modelOf), ["0", "b"]);
    await refused(t.tape.registerReaction({ ...changed, numShards: 2 }), "TRANSITION_NOT_ALLOWED", {
      reaction_id: reactionId,
    });
  }),
  busRule("R70", "a deregistered reaction makes and hands out nothing more", async (t) => {
    const reactionId = await withTasks(t, 2);
    const [claimed] = await claim(t, reactionId, { max: 1 });
    assert.ok(claimed);
    const deregister = (id: string, requestId?: string) => t.tape.deregisterReaction({ reactionId: id }, { requestId });
    assert.deepEqual(await deregister(reactionId, "request"), { deregistered: true });
    assert.deepEqual(await deregister(reactionId, "request"), { deregistered: true }, "the same request again");
    assert.deepEqual(await deregister(reactionId, "another"), { deregistered: false });
    assert.deepEqual(await deregister("unknown", "another"), { deregistered: false });
    await react(t, { reactionId });
    assert.deepEqual(await deregister(reactionId, "request"), { deregistered: true }, "the same request much later");
    assert.equal((await t.tape.listReactions()).reactions.length, 1, "what was registered since stays");
    assert.deepEqual(await deregister(reactionId), { deregistered: true });
    assert.deepEqual((await t.tape.listReactions()).reactions, []);
    await refused(claim(t, reactionId), "REACTION_NOT_FOUND", { reaction_id: reactionId });
    const { task } = await t.tape.completeTask({ taskId: claimed.taskId, owner: "worker" });
    assert.equal(task.status, "DONE", "what is under way may be ended");
    const other = await react(t, { bootstrapFromHead: true });
    await write(t, ["later"]);
    await t.byItself(
      async () => (await t.tape.listTasks({ reactionId: other })).tasks.some((one) => modelOf(one) === "later"),
      "the other reaction should match",
    );
    assert.equal((await tasksOf(t, reactionId, 2)).length, 2);
  }),
  busRule("R70", "a reaction that is registered again starts anew, and makes no task twice", async (t) => {
    const reactionId = await withTasks(t, 2);
    const [first] = await claim(t, reactionId, { max: 1 });
    assert.ok(first);
    await t.tape.completeTask({ taskId: first.taskId, owner: "worker" });
    await t.tape.deregisterReaction({ reactionId });
    await write(t, ["while it was away"]);
    await react(t, { reactionId });
    assert.deepEqual((await matched(t, reactionId, 3)).map(modelOf), ["0", "1", "while it was away"]);
    assert.equal((await taskNow(t, first)).status, "DONE");
  }),
  busRule("R70", "matching goes on after reopening where it was", async (t) => {
    const reactionId = await withTasks(t, 2);
    await t.reopen();
    await write(t, ["after"]);
    assert.deepEqual((await matched(t, reactionId, 3)).map(modelOf), ["0", "1", "after"]);
  }),

  busRule("R70", "with a debounce, the last matching entry of a burst makes the task, for each source", async (t) => {
    const reactionId = await react(t, { debounceMs: 1000, predicateCel: 'payload.model != "other"' });
    const one = await write(t, ["a", "b"]);
    const two = await write(t, ["x"]);
    await t.clock.advance(900);
    await write(t, ["c", "other"], one);
    await inFeed(t, one, 4);
    await inFeed(t, two, 1);
    const first = await tasksOf(t, reactionId, 2);
    assert.deepEqual(first.map(modelOf).toSorted(), ["c", "x"]);
    assert.deepEqual(new Set(first.map((task) => task.sourceRunId)), new Set([one, two]));
    await t.clock.advance(1000);
    await write(t, ["d"], one);
    assert.deepEqual((await tasksOf(t, reactionId, 3)).map(modelOf).toSorted(), ["c", "d", "x"]);
  }),
  busRule("R70", "a burst that is open is not lost by reopening", async (t) => {
    const reactionId = await react(t, { debounceMs: 3000 });
    const runId = await write(t, ["a", "b"]);
    await inFeed(t, runId, 2);
    await t.clock.advance(500);
    await t.reopen();
    await write(t, ["c"], runId);
    await inFeed(t, runId, 3);
    await t.clock.advance(1000);
    await t.reopen();
    assert.deepEqual((await tasksOf(t, reactionId, 1)).map(modelOf), ["c"]);
  }),
];
