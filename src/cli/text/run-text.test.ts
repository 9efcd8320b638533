import picocolors from "picocolors";
import { describe, expect, test } from "vitest";
import { type Story, tellStory } from "../../../test/cli/story.ts";
import { readRun } from "../run-report.ts";
import { runText } from "./run-text.ts";

const colours = picocolors.createColors(false);

test("a run that needs a person", async () => {
  await using story = await tellStory();
  const report = await readRun(story.tape, story.runId);
  const options = { colours, columns: 120, now: story.clock.now(), timelineLines: 100, access: "" };
  expect(`\n${runText(report, options).join("\n")}\n`).toMatchInlineSnapshot(`
    "
    run-kxs7f7n0w7vv7qgj99zm7scd  WAITING
      app         treasury/ops/close-of-day
      invocation  2026-11-23
      started     2026-11-23 12:00:00.000, 1m 02s ago
      waits at    approval
      agent       sweeper
      scopes      wire
      labels      env=test, team=cash

    Timeline
        +0.000s  run         running    treasury/ops/close-of-day  invocation 2026-11-23
        +0.012s  decision    recorded   decision 0                 scripted, policy p7
        +0.012s  budget      charged    $0.0125 and 1,200 tokens   in all $0.0125 and 1,200 tokens
        +0.012s  effect      pending    sweep                      decision 0
        +0.012s  obligation  pending    unsweep                    #5 for decision-0/sweep/0
        +1.246s  effect      confirmed  sweep                      decision 0
        +1.246s  decision    recorded   decision 1                 scripted
        +1.246s  budget      charged    $0.50 and 30,000 tokens    in all $0.5125 and 31,200 tokens
        +1.246s  effect      pending    wire                       decision 1, non-idempotent, outbox bank, business key in…
        +1.246s  effect      claimed    wire                       decision 1, by dispatcher-1
        +1.496s  effect      unknown    wire                       decision 1, 1 attempt, no answer from the bank in 30 s
        +1.496s  timer       set        ask-again                  gate_timeout, due 2026-11-23 13:00:01.496
        +1.496s  gate        waiting    approval

    Effects
      status     tool   key                 semantics       mode
      CONFIRMED  sweep  decision-0/sweep/0  idempotent      inline
      UNKNOWN    wire   decision-1/wire/0   non-idempotent  outbox bank  1 attempt, business key invoice 4711
        no answer from the bank in 30 s

    Obligations
      status   number  kind     for effect
      PENDING  5       unsweep  decision-0/sweep/0

    Gates
      status   gate      occurrence
      WAITING  approval  1           since +1.496s

    Timers
      status  timer      kind
      SET     ask-again  gate_timeout  in 58m 59s

    Budget
      dollars  $0.5125  of $5.00 (10 %)
      tokens   31,200   no cap

    Next
      Nobody knows whether decision-1/wire/0 happened. Find out at bank by its business key invoice 4711, then say so:
        tape resolve run-kxs7f7n0w7vv7qgj99zm7scd decision-1/wire/0 confirmed
        tape resolve run-kxs7f7n0w7vv7qgj99zm7scd decision-1/wire/0 failed
      The run waits for a signal at the gate approval:
        tape signal run-kxs7f7n0w7vv7qgj99zm7scd approval '{"approved": true}'
    "
  `);
});

describe("what to do next", () => {
  async function next(change: (story: Story) => Promise<unknown>, atMs = 0): Promise<string> {
    await using story = await tellStory();
    await change(story);
    const report = await readRun(story.tape, story.runId);
    const now = story.clock.now() + atMs;
    const lines = runText(report, { colours, columns: 200, now, timelineLines: 100, access: " --server tape://x" });
    const at = lines.indexOf("Next");
    return at < 0
      ? ""
      : lines
          .slice(at + 1)
          .join("\n")
          .replaceAll(story.runId, "RUN");
  }

  test("a run that was resumed by nobody yet, and one whose agent is gone", async () => {
    const answered = async ({ tape, runId }: Story): Promise<void> => {
      await tape.reconcileEffect({ runId, idempotencyKey: `${runId}/decision-1/wire/0`, resolvedStatus: "CONFIRMED" });
      await tape.sendSignal({ runId, gateName: "approval" });
    };
    await expect(next(answered)).resolves.toBe(
      "  The run is ready to go on: the next agent that resumes it gets the lease.",
    );
    const resumed = async (story: Story): Promise<void> => {
      await answered(story);
      await story.tape.resumeRun({ runId: story.runId, leaseOwner: "agent-2", leaseTtlMs: 5000 });
    };
    await expect(next(resumed)).resolves.toBe("");
    await expect(next(resumed, 65_000)).resolves.toBe(
      "  The lease of agent-2 expired 1m 00s ago: any agent may resume the run.",
    );
  });

  test("a run that is stuck, first on something and then on nothing", async () => {
    const observed = ({ tape, runId }: Story): Promise<unknown> =>
      tape.recordExternalObservation({ runId, idempotencyKey: `${runId}/decision-1/wire/0`, resolution: "STUCK" });
    await expect(next(observed)).resolves.toBe(
      [
        "  Nobody knows whether decision-1/wire/0 happened. Find out at bank by its business key invoice 4711, then say so:",
        "    tape resolve RUN decision-1/wire/0 confirmed --server tape://x",
        "    tape resolve RUN decision-1/wire/0 failed --server tape://x",
      ].join("\n"),
    );
    const settled = async (story: Story): Promise<void> => {
      await observed(story);
      const idempotencyKey = `${story.runId}/decision-1/wire/0`;
      await story.tape.reconcileEffect({ runId: story.runId, idempotencyKey, resolvedStatus: "FAILED" });
    };
    await expect(next(settled)).resolves.toBe(
      [
        "  Nothing in it is stuck any more: an agent can resume the run, or you give it up:",
        "    tape cancel RUN --server tape://x",
      ].join("\n"),
    );
  });
});
