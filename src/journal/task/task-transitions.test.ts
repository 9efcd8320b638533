import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plain, reloaded, RowDriver, startMs } from "../../../test/journal/row-driver.ts";
import { timeKey } from "../../codec/time-key.ts";
import { TapeError, type TapeErrorReason } from "../../errors.ts";
import type { TaskStatus } from "../../model/reaction.ts";
import { defaultLimits as limits } from "../limits.ts";
import { claimTask, completeTask, makeTask, nackTask, readTask, tickTask } from "./decide.ts";
import { listPrefix, taskAt, taskRules, type TaskEvent, type TaskFacts, type TaskRow } from "./task.ts";

type Driver = RowDriver<TaskRow, TaskEvent>;

const taskId = "task-1";
const leaseMs = 10_000;
const backoffMs = 500;
const facts: TaskFacts = {
  taskId,
  reactionId: "r/1",
  shard: 2,
  isSharded: true,
  sourceRunId: "run-1",
  sourceGlobalSeq: 7,
  subject: "/tape/run/failed/a/u/s/run-1",
  payloadJson: '{"app":"a"}',
  createdAtMs: startMs,
  traceId: "t",
  parentSpanId: "s",
  retryMax: 3,
  retryBackoffMs: backoffMs,
  dlqAfterN: 3,
};
const drive = (): Driver => new RowDriver(taskRules);
let claims = 0;
const claim = (owner: string, task: Driver, untilMs = task.now) => {
  claims += 1;
  return claimTask({ owner, id: `claim-${claims}`, expiresAtMs: task.now + leaseMs, untilMs });
};

/** How a task came to be what it is. */
const situations = {
  absent: () => undefined,
  due: (task) => void task.call(makeTask(facts)),
  mine: (task) => {
    situations.due(task);
    task.call(claim("me", task));
  },
  theirs: (task) => {
    situations.due(task);
    task.call(claim("they", task));
  },
  expired: (task) => {
    situations.mine(task);
    task.now += leaseMs;
  },
  "expired for good": (task) => {
    for (const _ of [1, 2]) {
      situations.mine(task);
      task.call(nackTask({ taskId, owner: "me" }, limits));
      task.now += 10 * backoffMs;
    }
    task.call(claim("me", task));
    task.now += leaseMs;
  },
  "nacked by me": (task) => {
    situations.mine(task);
    task.call(nackTask({ taskId, owner: "me", error: "e" }, limits));
  },
  "done by me": (task) => {
    situations.mine(task);
    task.call(completeTask({ taskId, owner: "me" }, limits));
  },
  "done by them": (task) => {
    situations.theirs(task);
    task.call(completeTask({ taskId, owner: "they" }, limits));
  },
  "failed by me": (task) => {
    situations.mine(task);
    task.call(nackTask({ taskId, owner: "me", permanent: true }, limits));
  },
} as const satisfies Record<string, (task: Driver) => void>;

const commands = {
  make: (task: Driver) => task.call(makeTask(facts)),
  claim: (task: Driver) => task.call(claim("me", task)),
  complete: (task: Driver) => task.call(completeTask({ taskId, owner: "me" }, limits)),
  nack: (task: Driver) => task.call(nackTask({ taskId, owner: "me", error: "e" }, limits)),
  "nack for good": (task: Driver) => task.call(nackTask({ taskId, owner: "me", error: "e", permanent: true }, limits)),
  tick: (task: Driver) => task.call(tickTask),
} as const;

/** The status afterwards, with a `+` when something was written; or why it was refused, with nothing written. */
type Expected = `${Exclude<TaskStatus, "UNSPECIFIED"> | "absent"}${"" | " +"}` | TapeErrorReason;

const table: Record<keyof typeof situations, Record<keyof typeof commands, Expected>> = {
  absent: {
    make: "PENDING +",
    claim: "absent",
    complete: "TASK_NOT_FOUND",
    nack: "TASK_NOT_FOUND",
    "nack for good": "TASK_NOT_FOUND",
    tick: "absent",
  },
  due: {
    make: "PENDING",
    claim: "CLAIMED +",
    complete: "CLAIM_HELD",
    nack: "CLAIM_HELD",
    "nack for good": "CLAIM_HELD",
    tick: "PENDING",
  },
  mine: {
    make: "CLAIMED",
    claim: "CLAIMED",
    complete: "DONE +",
    nack: "PENDING +",
    "nack for good": "FAILED +",
    tick: "CLAIMED",
  },
  theirs: {
    make: "CLAIMED",
    claim: "CLAIMED",
    complete: "CLAIM_HELD",
    nack: "CLAIM_HELD",
    "nack for good": "CLAIM_HELD",
    tick: "CLAIMED",
  },
  expired: {
    make: "PENDING",
    // Not due before its pause is over.
    claim: "PENDING +",
    complete: "CLAIM_HELD",
    nack: "CLAIM_HELD",
    "nack for good": "CLAIM_HELD",
    tick: "PENDING +",
  },
  "expired for good": {
    make: "DLQ",
    claim: "DLQ +",
    complete: "TRANSITION_NOT_ALLOWED",
    nack: "TRANSITION_NOT_ALLOWED",
    "nack for good": "TRANSITION_NOT_ALLOWED",
    tick: "DLQ +",
  },
  "nacked by me": {
    make: "PENDING",
    claim: "PENDING",
    complete: "CLAIM_HELD",
    nack: "PENDING",
    "nack for good": "PENDING",
    tick: "PENDING",
  },
  "done by me": {
    make: "DONE",
    claim: "DONE",
    complete: "DONE",
    nack: "TRANSITION_NOT_ALLOWED",
    "nack for good": "TRANSITION_NOT_ALLOWED",
    tick: "DONE",
  },
  "done by them": {
    make: "DONE",
    claim: "DONE",
    complete: "TRANSITION_NOT_ALLOWED",
    nack: "TRANSITION_NOT_ALLOWED",
    "nack for good": "TRANSITION_NOT_ALLOWED",
    tick: "DONE",
  },
  "failed by me": {
    make: "FAILED",
    claim: "FAILED",
    complete: "TRANSITION_NOT_ALLOWED",
    nack: "FAILED",
    "nack for good": "FAILED",
    tick: "FAILED",
  },
};

const rows = Object.entries(table).flatMap(([situation, outcomes]) =>
  Object.entries(outcomes).map(([command, expected]) => [command, situation, expected] as const),
);

const statusOf = (task: Driver): string => (task.state.facts === null ? "absent" : taskAt(task.state, task.now).status);

describe("a task", () => {
  it.each(rows)("%s, when it is %s: %s", (command, situation, expected) => {
    const task = drive();
    situations[situation as keyof typeof situations](task);
    const before = task.events.length;
    let outcome: string;
    try {
      const { events } = commands[command as keyof typeof commands](task);
      outcome = `${statusOf(task)}${events.length > 0 ? " +" : ""}`;
    } catch (error) {
      assert.ok(error instanceof TapeError);
      outcome = `${error.reason}${task.events.length > before ? " +" : ""}`;
    }
    expect(outcome).toBe(expected);
  });

  it("is made once of an entry, however often that is tried (R70)", () => {
    const task = drive();
    expect(task.call(makeTask(facts)).value).toBe(true);
    situations.mine(task);
    expect(task.call(makeTask({ ...facts, payloadJson: "{}" }))).toEqual({ value: false, events: [] });
    const key = `${listPrefix(facts.reactionId)}${timeKey(facts.createdAtMs)}/${timeKey(facts.sourceGlobalSeq)}`;
    expect(task.call(readTask("UNSPECIFIED", "another")).value).toBeNull();
    expect(task.call(readTask("UNSPECIFIED", key)).value).toMatchObject({
      status: "CLAIMED",
      payloadJson: '{"app":"a"}',
    });
  });

  it("pauses twice as long after every failure, up to an hour (R71)", () => {
    const task = drive();
    task.call(makeTask({ ...facts, retryMax: 0, dlqAfterN: 0, retryBackoffMs: 1_000_000 }));
    for (const pause of [1_000_000, 2_000_000, 3_600_000, 3_600_000]) {
      task.call(claim("me", task));
      const failed = task.call(nackTask({ taskId, owner: "me" }, limits)).value.task;
      expect(failed.nextAttemptAtMs - task.now).toBe(pause);
      task.now = failed.nextAttemptAtMs;
    }
  });

  it("says to a repeated claim that it has it, and to a repeated nack that it was heard (R3)", () => {
    const task = drive();
    situations.due(task);
    const call = { owner: "me", id: "claim", expiresAtMs: task.now + leaseMs, untilMs: task.now };
    const first = task.call(claimTask(call)).value;
    expect(task.call(claimTask(call))).toEqual({ value: first, events: [] });
    const nacking = nackTask({ taskId, owner: "me" }, limits);
    task.call(nacking, { requestHash: "h" });
    task.now += backoffMs;
    task.call(claim("me", task));
    expect(task.call(nacking, { requestHash: "h" }).events).toEqual([]);
    expect(task.call(nacking, { requestHash: "i" }).value.task.attempts).toBe(2);
  });
});

const steps = fc.array(
  fc.tuple(
    fc.constantFrom("claim", "complete", "nack", "fail", "tick", "wait", "wait long"),
    fc.constantFrom("me", "they"),
    fc.constantFrom("", "h1", "h2"),
  ),
  { maxLength: 25, size: "max" },
);
const policies = fc.record({
  retryMax: fc.integer({ min: 0, max: 4 }),
  dlqAfterN: fc.integer({ min: 0, max: 4 }),
  retryBackoffMs: fc.constantFrom(0, 500, 20_000),
  isSharded: fc.boolean(),
});

function step(task: Driver, kind: string, owner: string, requestHash: string): void {
  try {
    if (kind === "claim") task.call(claim(owner, task));
    else if (kind === "complete") task.call(completeTask({ taskId, owner }, limits), { requestHash });
    else if (kind === "nack") task.call(nackTask({ taskId, owner, error: "e" }, limits), { requestHash });
    else if (kind === "fail") task.call(nackTask({ taskId, owner, permanent: true }, limits), { requestHash });
    else if (kind === "tick") task.call(tickTask);
  } catch (error) {
    assert.ok(error instanceof TapeError);
  }
}

describe("every history of a task", () => {
  const check = (each: (task: Driver) => void): void => {
    fc.assert(
      fc.property(policies, steps, (policy, history) => {
        const task = drive();
        task.call(makeTask({ ...facts, ...policy }));
        for (const [kind, owner, requestHash] of history) {
          task.now += kind === "wait" ? 600 : kind === "wait long" ? 30_000 : 1;
          step(task, kind, owner, requestHash);
          each(task);
        }
      }),
      { numRuns: 60 },
    );
  };

  it("is the same when loaded from the store", () => {
    check((task) => {
      assert.deepEqual(reloaded(task), plain(task.state));
    });
  });

  it("never leaves DONE, FAILED and DLQ, and never lowers the attempts (R4)", () => {
    let last = { status: "PENDING", attempts: 0 };
    check((task) => {
      const { status, attempts } = taskAt(task.state, task.now);
      // The first look at another task.
      if (task.events.length <= 2) last = { status, attempts };
      const isFinal = ["DONE", "FAILED", "DLQ"].includes(last.status);
      assert.deepEqual([isFinal ? status : last.status, Math.max(attempts, last.attempts)], [last.status, attempts]);
      last = { status, attempts };
    });
  });

  it("has a key by which it is found whenever it may be claimed, and none when it is over (R71)", () => {
    check((task) => {
      const keys = task.keys();
      const due = keys.filter(({ index }) => index === "~/tasks/r%2F1").map(({ key }) => Number(key.slice(0, 16)));
      const now = taskAt(task.state, task.now);
      if (now.status === "PENDING") assert.ok(due.length === 1 && (due[0] ?? Infinity) <= now.nextAttemptAtMs);
      if (task.state.progress.status === "DONE") assert.deepEqual(due, []);
      // What nobody claims any more is written down by the server.
      const isUnwritten = now !== task.state.progress && now.status !== "PENDING";
      assert.equal(
        keys.some(({ index, key }) => index === "tick" && Number(key) <= task.now),
        isUnwritten,
      );
    });
  });
});
