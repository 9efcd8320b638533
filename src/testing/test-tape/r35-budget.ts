import assert from "node:assert/strict";
import { refused, upTo } from "./assertions.ts";
import { rule, type TapeCase } from "./tape-case.ts";

/** R35 and R36: budget. */
export const budgetCases: readonly TapeCase[] = [
  rule("R35", "money is added exactly", async (t) => {
    const runId = await t.run();
    for (const usd of [0.1, 0.2]) await t.tape.chargeBudget({ runId, usd });
    assert.equal((await t.tape.admitBudget({ runId })).budget.usdSpent, 0.3);
    for (const _ of upTo(97)) await t.tape.chargeBudget({ runId, usd: 0.01 });
    assert.equal((await t.tape.chargeBudget({ runId, usd: 0.000001 })).usdSpent, 1.270001);
  }),
  rule("R35", "a charge is rounded half up to a millionth of a dollar", async (t) => {
    for (const [usd, rounded] of [
      [0.000_000_5, 0.000_001],
      [0.000_000_4, 0],
      [0.000_002_5, 0.000_003],
      [0.000_001_5, 0.000_002],
      [1.000_000_4, 1],
    ] as const) {
      const runId = await t.run();
      assert.equal((await t.tape.chargeBudget({ runId, usd })).usdSpent, rounded, `${usd}`);
    }
    const runId = await t.run();
    assert.equal((await t.tape.setBudget({ runId, usdCap: 0.123_456_78 })).usdCap, 0.123_457);
  }),
  rule("R35", "amounts that are no money are refused and change nothing", async (t) => {
    const runId = await t.run();
    await t.tape.chargeBudget({ runId, usd: 1, tokens: 1 });
    await t.unchanged(runId, async () => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0.01]) {
        await refused(t.tape.chargeBudget({ runId, usd: bad }), "ARGUMENT_INVALID");
        await refused(t.tape.admitBudget({ runId, usdEstimate: bad }), "ARGUMENT_INVALID");
      }
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        await refused(t.tape.setBudget({ runId, usdCap: bad }), "ARGUMENT_INVALID");
      }
      await refused(t.tape.chargeBudget({ runId, tokens: -1 }), "ARGUMENT_INVALID");
      await refused(t.tape.admitBudget({ runId, tokenEstimate: -1 }), "ARGUMENT_INVALID");
    });
    const { budget } = await t.tape.admitBudget({ runId });
    assert.deepEqual([budget.usdSpent, budget.tokensSpent], [1, 1]);
  }),
  rule("R35", "caps of 0 or less mean none", async (t) => {
    const runId = await t.run();
    await t.tape.chargeBudget({ runId, usd: 1000, tokens: 1000 });
    const admitted = async () => (await t.tape.admitBudget({ runId, usdEstimate: 1e6, tokenEstimate: 1e6 })).admitted;
    assert.equal(await admitted(), true, "no budget was ever set");
    for (const cap of [0, -1]) {
      await t.tape.setBudget({ runId, usdCap: 1, tokenCap: 1 });
      assert.equal(await admitted(), false);
      await t.tape.setBudget({ runId, usdCap: cap, tokenCap: cap });
      assert.equal(await admitted(), true, `cap ${cap}`);
    }
  }),

  rule("R36", "admits what fits into what is left, and says why not", async (t) => {
    const runId = await t.run();
    await t.tape.setBudget({ runId, usdCap: 1, tokenCap: 100 });
    await t.tape.chargeBudget({ runId, usd: 0.6, tokens: 60 });
    const ask = (usdEstimate: number, tokenEstimate: number) =>
      t.tape.admitBudget({ runId, usdEstimate, tokenEstimate });
    await t.unchanged(runId, async () => {
      for (const [usd, tokens, admitted] of [
        [0.39, 39, true],
        [0.4, 40, true],
        [0.41, 1, false],
        [0.1, 41, false],
        [0, 0, true],
      ] as const) {
        const answer = await ask(usd, tokens);
        assert.equal(answer.admitted, admitted, `${usd} dollars, ${tokens} tokens`);
        assert.equal(answer.reason === "", admitted, answer.reason);
        assert.deepEqual(answer.budget, { runId, usdCap: 1, tokenCap: 100, usdSpent: 0.6, tokensSpent: 60 });
      }
    });
    assert.notEqual((await ask(0.41, 1)).reason, (await ask(0.1, 41)).reason);
  }),
  rule("R36", "asking spends nothing, charging over the cap is recorded and admits nothing more", async (t) => {
    const runId = await t.run();
    await t.tape.setBudget({ runId, usdCap: 1 });
    for (const _ of upTo(5)) assert.equal((await t.tape.admitBudget({ runId, usdEstimate: 0.9 })).admitted, true);
    assert.equal((await t.tape.chargeBudget({ runId, usd: 1.5 })).usdSpent, 1.5);
    assert.equal((await t.tape.admitBudget({ runId, usdEstimate: 0.000001 })).admitted, false);
    assert.deepEqual(await t.verbs(runId, "budget"), ["budget/charged"]);
  }),
  rule("R36", "setting a budget keeps what was spent, and so does every crash", async (t) => {
    const runId = await t.run();
    await t.tape.chargeBudget({ runId, usd: 0.5, tokens: 5 });
    const budget = { runId, usdCap: 9, tokenCap: 90, usdSpent: 0.5, tokensSpent: 5 };
    assert.deepEqual(await t.tape.setBudget({ runId, usdCap: 9, tokenCap: 90 }), budget);
    await t.reopen();
    assert.deepEqual((await t.tape.admitBudget({ runId })).budget, budget);
    assert.deepEqual(await t.tape.chargeBudget({ runId, usd: 0.25 }), { ...budget, usdSpent: 0.75 });
  }),
  rule("R3", "a SetBudget that is sent again puts back nothing that was set since", async (t) => {
    const runId = await t.run();
    const set = (tokenCap: number, requestId: string) => t.tape.setBudget({ runId, tokenCap }, { requestId });
    assert.equal((await set(10, "first")).tokenCap, 10);
    assert.equal((await set(10, "as it is")).tokenCap, 10);
    assert.equal((await set(20, "second")).tokenCap, 20);
    for (const requestId of ["first", "as it is"]) assert.equal((await set(10, requestId)).tokenCap, 20, requestId);
    await t.reopen();
    assert.equal((await set(10, "first")).tokenCap, 20);
    assert.equal((await set(10, "third")).tokenCap, 10);
  }),
  rule("R36", "budgets of two runs are two", async (t) => {
    const [one, two] = [await t.run(), await t.run()];
    await t.tape.setBudget({ runId: one, usdCap: 1 });
    await t.tape.chargeBudget({ runId: one, usd: 5 });
    assert.deepEqual((await t.tape.admitBudget({ runId: two, usdEstimate: 3 })).budget, {
      runId: two,
      usdCap: 0,
      tokenCap: 0,
      usdSpent: 0,
      tokensSpent: 0,
    });
  }),
];
