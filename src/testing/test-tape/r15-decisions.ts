import assert from "node:assert/strict";
import { refused, upTo } from "./assertions.ts";
import { rule, type TapeCase } from "./tape-case.ts";

const answer = {
  decisionIndex: 2,
  model: "m-1",
  requestJson: '{"q":1}',
  responseJson: '{"a":1}',
  rationale: "because",
  policyVersion: "p-1",
};

/** R15 and R16: decisions. */
export const decisionCases: readonly TapeCase[] = [
  rule("R15", "a decision is recorded as it was sent, and read back as it was recorded", async (t) => {
    const runId = await t.run();
    const recorded = await t.tape.recordDecision({ runId, ...answer });
    assert.deepEqual(recorded, { runId, ...answer, seq: 2, tsMs: t.clock.now(), diverged: false });
    const { diverged: _, ...decision } = recorded;
    assert.deepEqual(await t.tape.getDecision({ runId, decisionIndex: 2 }), { found: true, decision });
  }),
  rule("R15", "a repeat that agrees does not diverge, even asked for strictly", async (t) => {
    const runId = await t.run();
    const recorded = await t.tape.recordDecision({ runId, ...answer });
    await t.clock.advance(1000);
    const again = await t.unchanged(runId, () => t.tape.recordDecision({ runId, ...answer }, { strict: true }));
    assert.deepEqual(again, recorded);
  }),
  ...(
    [
      ["model", "m-2"],
      ["responseJson", '{"a":2}'],
      ["policyVersion", "p-2"],
    ] as const
  ).map(([name, value]) =>
    rule(
      "R15",
      `a repeat with another ${name} gives the record and says that it diverges; strictly it is refused`,
      async (t) => {
        const runId = await t.run();
        const recorded = await t.tape.recordDecision({ runId, ...answer });
        await t.unchanged(runId, async () => {
          const other = { runId, ...answer, [name]: value };
          assert.deepEqual(await t.tape.recordDecision(other), { ...recorded, diverged: true });
          await refused(t.tape.recordDecision(other, { strict: true }), "DIVERGENCE", { run_id: runId });
        });
      },
    ),
  ),
  rule("R15", "indexes are counted from 0 and may have gaps", async (t) => {
    const runId = await t.run();
    for (const decisionIndex of [7, 0, 1_000_000_007, 3])
      await t.tape.recordDecision({ runId, decisionIndex, responseJson: `${decisionIndex}` });
    assert.equal(
      (await t.tape.getDecision({ runId, decisionIndex: 1_000_000_007 })).decision?.responseJson,
      "1000000007",
    );
    await t.unchanged(runId, () => refused(t.tape.recordDecision({ runId, decisionIndex: -1 }), "ARGUMENT_INVALID"));
  }),
  rule("R16", "an index that was not recorded is found=false, not an error", async (t) => {
    const runId = await t.run();
    await t.tape.recordDecision({ runId, decisionIndex: 1 });
    for (const decisionIndex of [0, 2]) {
      const { found, decision } = await t.tape.getDecision({ runId, decisionIndex });
      assert.deepEqual([found, decision], [false, undefined]);
    }
  }),
  rule("R16", "a replay reads a long run's decisions back, each its own", async (t) => {
    const runId = await t.run();
    await Promise.all(
      upTo(300).map((decisionIndex) =>
        t.tape.recordDecision({ runId, decisionIndex, responseJson: `[${decisionIndex}]` }),
      ),
    );
    await t.reopen();
    const all = await Promise.all(upTo(300).map((decisionIndex) => t.tape.getDecision({ runId, decisionIndex })));
    assert.deepEqual(
      all.map(({ decision }) => decision?.responseJson),
      upTo(300).map((index) => `[${index}]`),
    );
  }),
];
