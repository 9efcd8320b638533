import assert from "node:assert/strict";
import { part, refused } from "./assertions.ts";
import { busRule, claim, deregisterAll, react, withTasks, write } from "./bus.ts";
import { tenantRule, type TapeCase } from "./tape-case.ts";

/** R70: who handles tasks, and for whom. */
export const handlerCases: readonly TapeCase[] = [
  busRule("R70", "a task of an AGENT reaction starts a run, once, for an agent to find", async (t) => {
    const reactionId = await react(t, { handlerKind: "AGENT", agentApp: "auditor", predicateCel: 'kind != "run"' });
    const source = await write(t, ["a"]);
    const [task] = await t.byItself(async () => {
      const { tasks } = await t.tape.listTasks({ reactionId, status: "DONE" });
      return tasks.length === 1 && tasks;
    }, "the task should be done");
    assert.ok(task);
    const started = (await t.tape.listRunsToRecover()).runs.filter(({ appName }) => appName === "auditor");
    assert.equal(started.length, 1);
    const [run] = started;
    assert.ok(run);
    assert.deepEqual(part(run, "status", "leaseOwner", "invocationId", "sessionId", "actor"), {
      status: "RUNNABLE",
      leaseOwner: "",
      invocationId: task.taskId,
      sessionId: task.taskId,
      actor: `reaction/${reactionId}`,
    });
    assert.deepEqual(run.labels, {
      "tape.reaction_id": reactionId,
      "tape.task_id": task.taskId,
      "tape.source_run_id": source,
      "tape.source_global_seq": String(task.sourceGlobalSeq),
    });
    const { run: resumed } = await t.tape.resumeRun({ runId: run.runId, leaseOwner: "agent" });
    assert.equal(resumed.status, "RUNNING");
    assert.deepEqual(await t.verbs(run.runId), ["run/running", "run/running"]);
  }),
  busRule("R70", "a task of a PUBLISH reaction is claimed by a bridge, which finds the target", async (t) => {
    const reactionId = await withTasks(t, 1, { handlerKind: "PUBLISH", publishTarget: "topic/alerts" });
    const [task] = await claim(t, reactionId, { owner: "bridge" });
    assert.equal(task?.reactionId, reactionId);
    const [reaction] = (await t.tape.listReactions()).reactions;
    assert.deepEqual(part(reaction, "handlerKind", "publishTarget"), {
      handlerKind: "PUBLISH",
      publishTarget: "topic/alerts",
    });
  }),

  tenantRule("R70", "tenants have reactions and tasks of their own", async (t, tapeFor) => {
    const red = await tapeFor({ partition: "red", tenant: "red" });
    const blue = await tapeFor({ partition: "blue", tenant: "blue" });
    const reaction = { reactionId: "r", subjectPattern: "/tape/run/running/**" };
    try {
      await red.registerReaction({ ...reaction, handlerKind: "TASK" });
      await blue.registerReaction({
        ...reaction,
        handlerKind: "AGENT",
        agentApp: "auditor",
        predicateCel: 'payload.app == "app"',
      });
      const begun = await red.beginRun({ appName: "app", invocationId: "i" });
      await blue.beginRun({ appName: "app", invocationId: "i" });
      const [task] = await t.byItself(async () => {
        const { tasks } = await red.listTasks();
        return tasks.length > 0 && tasks;
      }, "the red reaction should match");
      assert.equal(task?.sourceRunId, begun.runId);
      // The run that blue began itself is to be recovered, too, once its lease is over.
      const run = await t.byItself(
        async () => (await blue.listRunsToRecover()).runs.find(({ appName }) => appName === "auditor"),
        "the blue reaction should start a run",
      );
      assert.equal(run.tenantId, "blue");
      assert.equal((await red.listTasks()).tasks.length, 1);
      await refused(blue.completeTask({ taskId: task?.taskId ?? "", owner: "worker" }), "TASK_NOT_FOUND");
      assert.deepEqual((await t.tape.listReactions()).reactions, []);
    } finally {
      await deregisterAll(red);
      await deregisterAll(blue);
    }
  }),
];
