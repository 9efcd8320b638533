import picocolors from "picocolors";
import { expect, test } from "vitest";
import { tellStory } from "../../../test/cli/story.ts";
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
