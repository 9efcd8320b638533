import assert from "node:assert/strict";
import type { BeginEffectRequest } from "../../model/effect.ts";
import { fields, part, refused, upTo } from "./assertions.ts";
import { verbOf } from "./scene.ts";
import { rule, tenantRule, type TapeCase } from "./tape-case.ts";

const pay = { toolName: "pay", connector: "bank", businessKey: "invoice-1" } as const;

/** R20 to R22: beginning effects. */
export const effectCases: readonly TapeCase[] = [
  rule("R20", "the intent is written with all that was said, PENDING", async (t) => {
    const runId = await t.run();
    const request = {
      decisionIndex: 4,
      toolName: "pay",
      requestJson: '{"eur":5}',
      semantics: "NON_IDEMPOTENT",
      dispatchMode: "OUTBOX",
      businessKey: "b",
      connector: "bank",
      scope: "wire",
    } as const;
    const begun = await t.tape.beginEffect({ runId, callIndex: 2, ...request });
    const idempotencyKey = `${runId}/decision-4/pay/2`;
    assert.deepEqual(begun, {
      seq: 2,
      idempotencyKey,
      status: "PENDING",
      responseJson: "",
      errorJson: "",
      diverged: false,
    });
    const { nextDispatchAtMs, ...effect } = await t.effectOf(runId, idempotencyKey);
    assert.deepEqual(effect, {
      runId,
      seq: 2,
      idempotencyKey,
      status: "PENDING",
      ...request,
      responseJson: "",
      errorJson: "",
      tsMs: t.clock.now(),
      dispatchAttempts: 0,
      externalRef: "",
      dispatchClaimedBy: "",
      dispatchClaimExpiresAtMs: 0,
      lastDispatchError: "",
    });
    assert.ok(nextDispatchAtMs <= t.clock.now(), "it is due at once");
  }),
  rule("R20", "keys are derived from decision, tool and call, or are the custom key", async (t) => {
    const runId = await t.run();
    const key = async (request: Partial<BeginEffectRequest>) =>
      t.effect(runId, { toolName: "pay", decisionIndex: 0, ...request });
    assert.equal(await key({}), `${runId}/decision-0/pay/0`);
    assert.equal(await key({ callIndex: 3 }), `${runId}/decision-0/pay/3`);
    assert.equal(await key({ decisionIndex: 12 }), `${runId}/decision-12/pay/0`);
    assert.equal(await key({ decisionIndex: -1 }), `${runId}/no-decision/pay/0`);
    assert.equal(await key({ decisionIndex: -7, callIndex: 1 }), `${runId}/no-decision/pay/1`);
    assert.equal(await key({ customKey: "mine", callIndex: 9 }), "mine");
    assert.equal((await t.verbs(runId, "effect")).length, 6);
  }),
  rule("R20", "a key is unique within its own run only", async (t) => {
    const [one, two] = [await t.run(), await t.run()];
    await t.effect(one, { customKey: "same", requestJson: "1" });
    await t.effect(two, { customKey: "same", requestJson: "2" });
    await t.tape.completeEffect({ runId: one, idempotencyKey: "same", status: "CONFIRMED" });
    assert.deepEqual(part(await t.effectOf(two, "same"), "status", "requestJson"), {
      status: "PENDING",
      requestJson: "2",
    });
  }),
  ...(["CONFIRMED", "FAILED", "UNKNOWN"] as const).map((status) =>
    rule(
      "R20",
      `beginning an effect that is ${status} gives status, answer and error, and acts no second time`,
      async (t) => {
        const runId = await t.run();
        const request = { runId, toolName: "pay", requestJson: "{}" };
        const { idempotencyKey, seq } = await t.tape.beginEffect(request);
        await t.tape.completeEffect({ runId, idempotencyKey, status, responseJson: '"r"', errorJson: '"e"' });
        const again = await t.unchanged(runId, () => t.tape.beginEffect(request));
        assert.deepEqual(again, {
          seq,
          idempotencyKey,
          status,
          responseJson: '"r"',
          errorJson: '"e"',
          diverged: false,
        });
      },
    ),
  ),
  ...(
    [
      ["toolName", "other"],
      ["requestJson", "[2]"],
      ["decisionIndex", 8],
      ["semantics", "OBSERVE_ONLY"],
      ["dispatchMode", "OUTBOX"],
    ] as const
  ).map(([name, value]) =>
    rule(
      "R20",
      `beginning a recorded key with another ${name} says that it diverges; strictly it is refused`,
      async (t) => {
        const runId = await t.run();
        const request = {
          runId,
          customKey: "k",
          toolName: "pay",
          requestJson: "[1]",
          decisionIndex: 1,
          connector: "bank",
        };
        const begun = await t.tape.beginEffect(request);
        await t.unchanged(runId, async () => {
          assert.deepEqual(await t.tape.beginEffect({ ...request, [name]: value }), { ...begun, diverged: true });
          await refused(t.tape.beginEffect({ ...request, [name]: value }, { strict: true }), "DIVERGENCE", {
            run_id: runId,
          });
          assert.deepEqual(await t.tape.beginEffect(request, { strict: true }), begun);
        });
        assert.equal((await t.effectOf(runId, "k")).requestJson, "[1]");
      },
    ),
  ),

  rule("R21", "an effect is IDEMPOTENT and INLINE unless it says otherwise", async (t) => {
    const runId = await t.run();
    for (const unsaid of [{}, { semantics: "UNSPECIFIED", dispatchMode: "UNSPECIFIED" }] as const) {
      const record = await t.effectOf(runId, await t.effect(runId, unsaid));
      assert.deepEqual(part(record, "semantics", "dispatchMode"), { semantics: "IDEMPOTENT", dispatchMode: "INLINE" });
    }
    const observed = await t.effectOf(runId, await t.effect(runId, { semantics: "OBSERVE_ONLY" }));
    assert.deepEqual(part(observed, "semantics", "dispatchMode"), {
      semantics: "OBSERVE_ONLY",
      dispatchMode: "INLINE",
    });
  }),
  ...(
    [
      ["NON_IDEMPOTENT with INLINE", { semantics: "NON_IDEMPOTENT", scope: "wire", connector: "bank" }],
      ["OUTBOX without a connector", { dispatchMode: "OUTBOX" }],
      ["a business key without a connector", { businessKey: "b" }],
    ] as const
  ).map(([what, request]) =>
    rule("R21", `${what} is refused and writes nothing`, async (t) => {
      const runId = await t.run();
      await t.unchanged(runId, () => refused(t.effect(runId, request), "ARGUMENT_INVALID"));
    }),
  ),
  rule(
    "R21",
    "NON_IDEMPOTENT needs a scope that the run was granted; the first denial of a tool and scope is one entry",
    async (t) => {
      const runId = await t.run({ scopes: ["read", "wire"] });
      const deny = (scope: string, toolName = "pay") =>
        refused(t.wire(runId, { toolName, scope }), "SCOPE_NOT_GRANTED", { run_id: runId });
      for (const scope of ["", "transfer", "WIRE", "wir"]) await deny(scope);
      const denied = await t.verbs(runId, "policy");
      assert.deepEqual(
        denied,
        upTo(4).map(() => "policy/denied"),
      );
      await t.unchanged(runId, () => Promise.all([deny("transfer"), deny("transfer"), deny("")]));
      await deny("transfer", "another tool");
      assert.equal((await t.verbs(runId, "policy")).length, 5);
      assert.deepEqual(await t.verbs(runId, "effect"), []);
      const entry = (await t.journal(runId)).find(
        (each) => verbOf(each) === "policy/denied" && each.payloadJson.includes("transfer"),
      );
      assert.deepEqual(
        part(
          fields(entry?.payloadJson ?? "{}") as { tool: unknown; required_scope: unknown },
          "tool",
          "required_scope",
        ),
        {
          tool: "pay",
          required_scope: "transfer",
        },
      );
      await t.wire(runId, { scope: "wire" });
      assert.deepEqual(await t.verbs(runId, "effect"), ["effect/pending"]);
    },
  ),
  rule("R21", "denials at the same time are one entry", async (t) => {
    const runId = await t.run({ scopes: [] });
    const tapes = [t.tape, await t.other()];
    await Promise.all(
      upTo(8).map((index) =>
        refused(
          (tapes[index % 2] ?? t.tape).beginEffect({
            runId,
            toolName: "pay",
            semantics: "NON_IDEMPOTENT",
            dispatchMode: "OUTBOX",
            connector: "bank",
            scope: "wire",
            customKey: `k${index}`,
          }),
          "SCOPE_NOT_GRANTED",
        ),
      ),
    );
    assert.deepEqual(await t.verbs(runId), ["run/running", "policy/denied"]);
  }),
  rule("R21", "an effect that may be repeated needs no scope", async (t) => {
    const runId = await t.run({ scopes: [] });
    await t.effect(runId, { scope: "anything" });
    await t.outbox(runId, { semantics: "OBSERVE_ONLY" });
    assert.deepEqual(await t.verbs(runId), ["run/running", "effect/pending", "effect/pending"]);
  }),

  rule("R22", "a business key used again in its run is the effect that has it", async (t) => {
    const runId = await t.run();
    const first = await t.tape.beginEffect({ runId, ...pay, decisionIndex: 1 });
    const again = await t.unchanged(runId, () => t.tape.beginEffect({ runId, ...pay, decisionIndex: 2 }));
    assert.deepEqual(part(again, "idempotencyKey", "seq", "status"), part(first, "idempotencyKey", "seq", "status"));
    await t.tape.completeEffect({ runId, idempotencyKey: first.idempotencyKey, status: "FAILED", errorJson: '"no"' });
    const later = await t.tape.beginEffect({ runId, ...pay, decisionIndex: 3 });
    assert.deepEqual(part(later, "idempotencyKey", "status", "errorJson"), {
      idempotencyKey: first.idempotencyKey,
      status: "FAILED",
      errorJson: '"no"',
    });
  }),
  rule("R22", "effects of one run that begin with one business key at once are one effect", async (t) => {
    const runId = await t.run();
    const tapes = [t.tape, await t.other()];
    const begun = await Promise.all(
      upTo(6).map((index) => (tapes[index % 2] ?? t.tape).beginEffect({ runId, ...pay, decisionIndex: index })),
    );
    assert.equal(new Set(begun.map((effect) => effect.idempotencyKey)).size, 1);
    assert.deepEqual(await t.verbs(runId, "effect"), ["effect/pending"]);
  }),
  rule("R22", "a business key of another run is refused for ever, telling nothing of what that run did", async (t) => {
    const owner = await t.run();
    const { idempotencyKey } = await t.tape.beginEffect({ runId: owner, ...pay, requestJson: '"secret request"' });
    const other = await t.run();
    const attempt = async () => {
      const error = await t.unchanged(other, () =>
        refused(t.tape.beginEffect({ runId: other, ...pay }), "BUSINESS_KEY_USED"),
      );
      assert.ok(!/secret/.test(`${error.message} ${JSON.stringify(error.ids)}`), error.message);
    };
    await attempt();
    await t.tape.completeEffect({
      runId: owner,
      idempotencyKey,
      status: "FAILED",
      errorJson: '"secret error"',
      responseJson: '"secret answer"',
    });
    await attempt();
    await t.tape.endRun({ runId: owner, status: "FAILED" });
    await t.reopen();
    await attempt();
  }),
  rule("R22", "business keys of other connectors are others, and a key that was refused was not taken", async (t) => {
    const [one, two] = [await t.run(), await t.run({ scopes: [] })];
    await t.tape.beginEffect({ runId: one, ...pay });
    await t.tape.beginEffect({ runId: two, ...pay, connector: "other bank" });
    const denied = {
      runId: two,
      ...pay,
      businessKey: "free",
      decisionIndex: 1,
      dispatchMode: "OUTBOX",
      semantics: "NON_IDEMPOTENT",
      scope: "wire",
    } as const;
    await refused(t.tape.beginEffect(denied), "SCOPE_NOT_GRANTED");
    await t.tape.beginEffect({ runId: one, ...pay, businessKey: "free", decisionIndex: 1 });
    assert.deepEqual(
      [await t.verbs(one, "effect"), await t.verbs(two, "effect")],
      [["effect/pending", "effect/pending"], ["effect/pending"]],
    );
  }),
  tenantRule("R22", "business keys of other tenants are others", async (t, tapeFor) => {
    for (const tenant of ["red", "blue"]) {
      const tape = await tapeFor({ partition: tenant, tenant });
      const { runId } = await tape.beginRun({ appName: "app", invocationId: "i" });
      await tape.beginEffect({ runId, ...pay });
    }
    await t.tape.beginEffect({ runId: await t.run(), ...pay });
  }),
];
