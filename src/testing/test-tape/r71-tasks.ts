import assert from "node:assert/strict";
import { part, refused, refusedAs, upTo } from "./assertions.ts";
import { busRule, claim, claimOne, modelOf, react, taskNow, tasksOf, withTasks, write } from "./bus.ts";
import type { Scene } from "./scene.ts";
import type { TapeCase } from "./tape-case.ts";
import type { Task } from "../../model/reaction.ts";

const complete = async (t: Scene, { taskId }: Task, owner: string = "worker"): Promise<Task> =>
  (await t.tape.completeTask({ taskId, owner })).task;

const nack = async (t: Scene, { taskId }: Task, owner: string = "worker", permanent: boolean = false): Promise<Task> =>
  (await t.tape.nackTask({ taskId, owner, error: "no luck", permanent })).task;

/** R71: tasks. */
export const taskCases: readonly TapeCase[] = [
  busRule(
    "R71",
    "claims take what is due, in the order of the feed, as many as asked, and nothing twice",
    async (t) => {
      const reactionId = await withTasks(t, 5);
      const first = await claim(t, reactionId, { max: 2 });
      assert.deepEqual(first.map(modelOf), ["0", "1"]);
      for (const task of first) {
        assert.deepEqual(part(task, "status", "leaseOwner", "leaseExpiresAtMs", "attempts"), {
          status: "CLAIMED",
          leaseOwner: "worker",
          leaseExpiresAtMs: t.clock.now() + 60_000,
          attempts: 0,
        });
        assert.deepEqual(await taskNow(t, task), task);
      }
      const rest: Task[] = [];
      // Where the store fails in the middle, what was claimed by then is answered, and the others are due still.
      for (let answers = 0; answers < 3; answers += 1) {
        rest.push(...(await claim(t, reactionId, { owner: "other", max: 0, leaseMs: 5000 })));
      }
      assert.deepEqual(rest.map(modelOf).toSorted(), ["2", "3", "4"]);
      assert.ok(rest.every((task) => task.leaseExpiresAtMs === t.clock.now() + 5000));
      assert.deepEqual(await claim(t, reactionId), []);
    },
  ),
  busRule("R71", "of several claimers each task goes to one", async (t) => {
    const reactionId = await withTasks(t, 6);
    const tapes = [t.tape, await t.other(1), await t.other(2)];
    const claims = await Promise.all(
      upTo(6).map((n) => claim(t, reactionId, { owner: `worker-${n}`, max: 3 }, tapes[n % 3])),
    );
    assert.deepEqual(claims.flat().map(modelOf).toSorted(), ["0", "1", "2", "3", "4", "5"]);
    assert.deepEqual(await claim(t, reactionId), []);
  }),
  busRule("R71", "what is malformed is refused", async (t) => {
    const reactionId = await withTasks(t, 1);
    const { tape } = t;
    const claiming = (change: object) => () => tape.claimTasks({ reactionId, owner: "worker", max: 1, ...change });
    for (const change of [{ owner: "" }, { reactionId: "" }, { leaseMs: -1 }, { shard: 1 }, { shard: 1e6 }]) {
      await refusedAs(claiming(change), "INVALID_ARGUMENT");
    }
    await refused(claiming({ reactionId: "unknown" }), "REACTION_NOT_FOUND", { reaction_id: "unknown" });
    for (const settle of ["completeTask", "nackTask"] as const) {
      await refusedAs(tape[settle]({ taskId: "", owner: "worker" }), "INVALID_ARGUMENT");
      await refusedAs(tape[settle]({ taskId: "task", owner: "" }), "INVALID_ARGUMENT");
      await refused(tape[settle]({ taskId: "task", owner: "worker" }), "TASK_NOT_FOUND", { task_id: "task" });
    }
    assert.equal((await claim(t, reactionId)).length, 1);
  }),

  busRule("R71", "a completed task is DONE for ever; a repeat is fine, anybody else is refused", async (t) => {
    const reactionId = await withTasks(t, 1);
    const task = await claimOne(t, reactionId);
    const done = await complete(t, task);
    assert.deepEqual(done, { ...task, status: "DONE", leaseOwner: "", leaseExpiresAtMs: 0, nextAttemptAtMs: 0 });
    assert.deepEqual(await complete(t, task), done);
    await refused(complete(t, task, "other"), "TRANSITION_NOT_ALLOWED", { task_id: task.taskId });
    await refused(nack(t, task), "TRANSITION_NOT_ALLOWED");
    assert.deepEqual(await taskNow(t, task), done);
    await t.clock.advance(100_000);
    assert.deepEqual(await claim(t, reactionId), []);
  }),
  busRule("R71", "only who holds a live claim may say how a task ended", async (t) => {
    const reactionId = await withTasks(t, 1);
    const [unclaimed] = await tasksOf(t, reactionId, 1);
    assert.ok(unclaimed);
    for (const settle of [complete, nack]) await refused(settle(t, unclaimed), "CLAIM_HELD", { holder: "" as never });
    const task = await claimOne(t, reactionId);
    for (const settle of [complete, nack]) {
      await refused(settle(t, task, "other"), "CLAIM_HELD", { holder: "worker" });
    }
    await t.clock.advance(60_000);
    for (const settle of [complete, nack]) await refused(settle(t, task), "CLAIM_HELD");
    const again = await claimOne(t, reactionId, "other");
    await refused(complete(t, task), "CLAIM_HELD", { holder: "other" });
    assert.deepEqual(await taskNow(t, task), again);
    assert.equal((await complete(t, again, "other")).status, "DONE");
  }),

  busRule("R71", "a failed attempt is repeated after a pause that doubles", async (t) => {
    const reactionId = await withTasks(t, 1, { retryBackoffMs: 2000 });
    for (const [attempt, pause] of [2000, 4000, 8000].entries()) {
      const failed = await nack(t, await claimOne(t, reactionId));
      assert.deepEqual(part(failed, "status", "attempts", "lastError", "leaseOwner", "nextAttemptAtMs"), {
        status: "PENDING",
        attempts: attempt + 1,
        lastError: "no luck",
        leaseOwner: "",
        nextAttemptAtMs: t.clock.now() + pause,
      });
      await t.clock.advance(pause - 1);
      assert.deepEqual(await claim(t, reactionId), []);
      await t.clock.advance(1);
    }
    assert.equal((await claimOne(t, reactionId)).attempts, 3);
  }),
  busRule("R71", "without a back-off a failed task is due at once; saying so twice counts once", async (t) => {
    const reactionId = await withTasks(t, 1);
    const task = await claimOne(t, reactionId);
    const failed = await nack(t, task);
    assert.deepEqual(await nack(t, task), failed);
    assert.equal(failed.nextAttemptAtMs, t.clock.now());
    const again = await claimOne(t, reactionId);
    const settle = () => t.tape.nackTask({ taskId: again.taskId, owner: "worker" }, { requestId: "request" });
    assert.equal((await settle()).task.attempts, 2);
    const third = await claimOne(t, reactionId);
    assert.deepEqual((await settle()).task, third, "a late repeat says nothing of the next attempt");
    assert.equal((await taskNow(t, task)).status, "CLAIMED");
  }),
  busRule("R71", "after so many failed attempts a task is in the DLQ, and stays there", async (t) => {
    const reactionId = await withTasks(t, 1, { dlqAfterN: 2, retryMax: 5 });
    assert.equal((await nack(t, await claimOne(t, reactionId))).status, "PENDING");
    const task = await claimOne(t, reactionId);
    const dead = await nack(t, task);
    assert.deepEqual(part(dead, "status", "attempts", "nextAttemptAtMs"), {
      status: "DLQ",
      attempts: 2,
      nextAttemptAtMs: 0,
    });
    assert.deepEqual(await nack(t, task), dead);
    await refused(complete(t, task), "TRANSITION_NOT_ALLOWED");
    await t.clock.advance(100_000);
    assert.deepEqual(await claim(t, reactionId), []);
    assert.deepEqual((await t.tape.listTasks({ reactionId, status: "DLQ" })).tasks, [dead]);
  }),
  busRule("R71", "a task whose retries are used up is FAILED, and so is one that failed for good", async (t) => {
    const reactionId = await withTasks(t, 2, { retryMax: 1, dlqAfterN: 9 });
    const forGood = await nack(t, await claimOne(t, reactionId), "worker", true);
    assert.deepEqual(part(forGood, "status", "attempts"), { status: "FAILED", attempts: 1 });
    assert.equal((await nack(t, await claimOne(t, reactionId))).status, "PENDING");
    assert.equal((await nack(t, await claimOne(t, reactionId))).status, "FAILED");
    assert.deepEqual(await claim(t, reactionId), []);
    const { tasks } = await t.tape.listTasks({ reactionId, status: "FAILED" });
    assert.deepEqual(
      tasks.map(({ attempts }) => attempts),
      [1, 2],
    );
  }),
  busRule("R71", "a claim that expires is a failed attempt", async (t) => {
    const reactionId = await withTasks(t, 1, { dlqAfterN: 2, retryBackoffMs: 3000 });
    const task = await claimOne(t, reactionId);
    await t.clock.advance(59_999);
    assert.deepEqual(await claim(t, reactionId, { nowMs: t.clock.now() + 1e9 }), [], "a live claim is nobody else's");
    await t.clock.advance(1);
    const expired = await taskNow(t, task);
    assert.deepEqual(part(expired, "status", "attempts", "leaseOwner", "nextAttemptAtMs"), {
      status: "PENDING",
      attempts: 1,
      leaseOwner: "",
      nextAttemptAtMs: t.clock.now() + 3000,
    });
    assert.match(expired.lastError, /worker/);
    assert.deepEqual((await t.tape.listTasks({ reactionId, status: "PENDING" })).tasks, [expired]);
    assert.deepEqual((await t.tape.listTasks({ reactionId, status: "CLAIMED" })).tasks, []);
    assert.deepEqual(await claim(t, reactionId), []);
    await t.clock.advance(3000);
    assert.equal((await claimOne(t, reactionId, "other")).attempts, 1);
    await t.clock.advance(60_000);
    const { tasks } = await t.tape.listTasks({ reactionId, status: "DLQ" });
    assert.deepEqual(
      tasks.map(({ attempts, status }) => [attempts, status]),
      [[2, "DLQ"]],
    );
    assert.deepEqual(await claim(t, reactionId), []);
  }),
  busRule("R71", "now_ms asks for what is due by then", async (t) => {
    const reactionId = await withTasks(t, 1, { retryBackoffMs: 10_000 });
    await nack(t, await claimOne(t, reactionId));
    assert.deepEqual(await claim(t, reactionId, { nowMs: -1 }), []);
    const [task] = await claim(t, reactionId, { nowMs: t.clock.now() + 10_000 });
    assert.equal(task?.leaseExpiresAtMs, t.clock.now() + 60_000);
  }),

  busRule("R71", "no more than max_concurrency are claimed at once, over all claimers", async (t) => {
    const reactionId = await withTasks(t, 6, { maxConcurrency: 2 });
    const tapes = [t.tape, await t.other(1), await t.other(2)];
    const race = async (): Promise<Task[]> => {
      const claims = tapes.map((tape, n) => claim(t, reactionId, { owner: `worker-${n}` }, tape));
      return (await Promise.all(claims)).flat();
    };
    const held = await race();
    assert.ok(held.length <= 2);
    held.push(...(await claim(t, reactionId)));
    assert.equal(held.length, 2, "what lost a race does not count");
    const [first, second] = held;
    assert.ok(first && second);
    assert.deepEqual(await race(), []);
    await complete(t, first, first.leaseOwner);
    held.push(...(await claim(t, reactionId)));
    assert.equal(held.length, 3);
    await nack(t, second, second.leaseOwner, true);
    assert.equal((await claim(t, reactionId, { leaseMs: 1000 })).length, 1);
    assert.deepEqual(await race(), []);
    await t.clock.advance(1000);
    assert.equal((await claim(t, reactionId)).length, 1, "an expired claim is one no more");
  }),
  busRule("R71", "no more than rate_limit_per_s are handed out in any second, over all claimers", async (t) => {
    const reactionId = await withTasks(t, 7, { rateLimitPerS: 3 });
    const tapes = [t.tape, await t.other(1)];
    await t.clock.advance(2000);
    assert.equal((await claim(t, reactionId, { max: 2 })).length, 2);
    await t.clock.advance(500);
    assert.equal((await claim(t, reactionId, {}, tapes[1])).length, 1);
    assert.deepEqual(await claim(t, reactionId), []);
    await t.clock.advance(499);
    assert.deepEqual(await claim(t, reactionId, {}, tapes[1]), []);
    await t.clock.advance(1);
    assert.equal((await claim(t, reactionId)).length, 2);
    await t.clock.advance(500);
    assert.equal((await claim(t, reactionId, {}, tapes[1])).length, 1);
  }),

  busRule("R71", "tasks are listed by reaction and status, oldest first", async (t) => {
    const one = await withTasks(t, 3, { predicateCel: 'payload.model != "x"' });
    const two = await react(t, { predicateCel: 'payload.model == "x"' });
    await write(t, ["x"]);
    await tasksOf(t, two, 1);
    await complete(t, await claimOne(t, one));
    await claimOne(t, one);
    const listed = async (request: Parameters<typeof t.tape.listTasks>[0]): Promise<string[]> =>
      (await t.tape.listTasks(request)).tasks.map(modelOf);
    assert.deepEqual(await listed({}), ["0", "1", "2", "x"]);
    assert.deepEqual(await listed({ reactionId: one }), ["0", "1", "2"]);
    assert.deepEqual(await listed({ reactionId: one, limit: 2 }), ["0", "1"]);
    assert.deepEqual(await listed({ reactionId: one, status: "DONE" }), ["0"]);
    assert.deepEqual(await listed({ status: "CLAIMED" }), ["1"]);
    assert.deepEqual(await listed({ status: "PENDING" }), ["2", "x"]);
    assert.deepEqual(await listed({ status: "PENDING", limit: 1 }), ["2"]);
    assert.deepEqual(await listed({ reactionId: "unknown" }), []);
    assert.deepEqual(await listed({ status: "DLQ" }), []);
  }),
  busRule("R71", "claims and outcomes are there after reopening", async (t) => {
    const reactionId = await withTasks(t, 3, { maxConcurrency: 2 });
    const done = await complete(t, await claimOne(t, reactionId));
    const held = await claimOne(t, reactionId);
    await t.reopen();
    assert.deepEqual(await taskNow(t, done), done);
    assert.deepEqual(await taskNow(t, held), held);
    assert.deepEqual((await claim(t, reactionId)).map(modelOf), ["2"]);
    assert.equal((await complete(t, held)).status, "DONE");
  }),
];
