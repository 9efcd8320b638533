import assert from "node:assert/strict";
import type { Tape } from "../../model/tape.ts";
import { refused, refusedAs, upTo, type Call } from "./assertions.ts";
import { farFuture, type Scene } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

const identifierBytes = 512;
const payloadBytes = 8 * 1024 * 1024;

/** A call with one of its fields given; `runId` and `key` are those of a running run and of an outbox effect in it. */
interface FieldOfCall {
  /** `Call.field` as on the wire. */
  readonly field: string;
  readonly send: (tape: Tape, value: string, at: { readonly runId: string; readonly key: string }) => Promise<unknown>;
}

function fieldOf(field: string, send: FieldOfCall["send"]): FieldOfCall {
  return { field, send };
}

const session = { appName: "app", userId: "user", sessionId: "session" };

/** Identifiers that must be there: empty is ARGUMENT_INVALID. */
const required: readonly FieldOfCall[] = [
  fieldOf("BeginRun.app_name", (tape, appName) => tape.beginRun({ appName, invocationId: "i" })),
  fieldOf("BeginRun.invocation_id", (tape, invocationId) => tape.beginRun({ appName: "a", invocationId })),
  fieldOf("BeginEffect.tool_name", (tape, toolName, { runId }) => tape.beginEffect({ runId, toolName })),
  fieldOf("ClaimEffectDispatch.claimer", (tape, claimer, { runId, key }) =>
    tape.claimEffectDispatch({ runId, idempotencyKey: key, claimer }),
  ),
  fieldOf("RegisterCompensation.kind", (tape, kind, { runId, key }) =>
    tape.registerCompensation({ runId, effectKey: key, kind }),
  ),
  fieldOf("AwaitSignal.gate_name", (tape, gateName, { runId }) => tape.awaitSignal({ runId, gateName })),
  fieldOf("SendSignal.gate_name", (tape, gateName, { runId }) => tape.sendSignal({ runId, gateName })),
  fieldOf("SetTimer.kind", (tape, kind, { runId }) =>
    tape.setTimer({ runId, timerId: "t", fireAtMs: farFuture, kind }),
  ),
  fieldOf("WriteValue.namespace", (tape, namespace) => tape.writeValue({ namespace, key: "k", valueJson: "1" })),
  fieldOf("WriteValue.key", (tape, key) => tape.writeValue({ namespace: "n", key, valueJson: "1" })),
  fieldOf("CreateSession.app_name", (tape, appName) => tape.createSession({ appName, userId: "u", sessionId: "s" })),
];

/** Keys of effects: they must be there too, but a derived one is as long as its parts make it. */
const effectKeys: readonly FieldOfCall[] = [
  fieldOf("CompleteEffect.idempotency_key", (tape, idempotencyKey, { runId }) =>
    tape.completeEffect({ runId, idempotencyKey, status: "FAILED" }),
  ),
  fieldOf("RegisterCompensation.effect_key", (tape, effectKey, { runId }) =>
    tape.registerCompensation({ runId, effectKey, kind: "undo" }),
  ),
];

/** Identifiers that may be empty. */
const optional: readonly FieldOfCall[] = [
  ...(
    [
      "userId",
      "sessionId",
      "leaseOwner",
      "tenantId",
      "actor",
      "subject",
      "agentId",
      "aiplexInstanceId",
      "gatewayRoute",
    ] as const
  ).map((name) =>
    fieldOf(`BeginRun.${name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, (tape, value) =>
      tape.beginRun({ appName: "a", invocationId: "i", [name]: value }),
    ),
  ),
  fieldOf("BeginEffect.custom_key", (tape, customKey, { runId }) =>
    tape.beginEffect({ runId, toolName: "x", customKey }),
  ),
  fieldOf("BeginEffect.business_key", (tape, businessKey, { runId }) =>
    tape.beginEffect({ runId, toolName: "x", connector: "bank", businessKey }),
  ),
  fieldOf("BeginEffect.connector", (tape, connector, { runId }) =>
    tape.beginEffect({ runId, toolName: "x", connector }),
  ),
  fieldOf("SetTimer.timer_id", (tape, timerId, { runId }) =>
    tape.setTimer({ runId, timerId, fireAtMs: farFuture, kind: "wake" }),
  ),
  fieldOf("WriteValue.writer", (tape, writer) => tape.writeValue({ namespace: "n", key: "k", valueJson: "1", writer })),
  fieldOf("CreateSession.user_id", (tape, userId) => tape.createSession({ appName: "a", userId, sessionId: "s" })),
  fieldOf("CreateSession.session_id", (tape, sessionId) =>
    tape.createSession({ appName: "a", userId: "u", sessionId }),
  ),
  fieldOf("AppendEvent.id", (tape, id) => tape.appendEvent({ ...session, event: { id } })),
];

/** Payload fields, all of which must be JSON or empty. */
const payloads: readonly FieldOfCall[] = [
  fieldOf("EndRun.detail_json", (tape, detailJson, { runId }) => tape.endRun({ runId, status: "FAILED", detailJson })),
  ...(["requestJson", "responseJson"] as const).map((name) =>
    fieldOf(`RecordDecision.${name === "requestJson" ? "request_json" : "response_json"}`, (tape, value, { runId }) =>
      tape.recordDecision({ runId, decisionIndex: 0, [name]: value }),
    ),
  ),
  fieldOf("BeginEffect.request_json", (tape, requestJson, { runId }) =>
    tape.beginEffect({ runId, toolName: "x", requestJson }),
  ),
  fieldOf("CompleteEffect.response_json", (tape, responseJson, { runId, key }) =>
    tape.completeEffect({ runId, idempotencyKey: key, status: "CONFIRMED", responseJson }),
  ),
  fieldOf("CompleteEffect.error_json", (tape, errorJson, { runId, key }) =>
    tape.completeEffect({ runId, idempotencyKey: key, status: "FAILED", errorJson }),
  ),
  fieldOf("ReconcileEffect.response_json", (tape, responseJson, { runId, key }) =>
    tape.reconcileEffect({ runId, idempotencyKey: key, resolvedStatus: "CONFIRMED", responseJson }),
  ),
  fieldOf("RecordExternalObservation.error_json", (tape, errorJson, { runId, key }) =>
    tape.recordExternalObservation({ runId, idempotencyKey: key, resolution: "FAILED", errorJson }),
  ),
  fieldOf("RegisterCompensation.payload_json", (tape, payloadJson, { runId, key }) =>
    tape.registerCompensation({ runId, effectKey: key, kind: "undo", payloadJson }),
  ),
  fieldOf("AwaitSignal.payload_json", (tape, payloadJson, { runId }) =>
    tape.awaitSignal({ runId, gateName: "g", payloadJson }),
  ),
  fieldOf("SendSignal.resolution_json", (tape, resolutionJson, { runId }) =>
    tape.sendSignal({ runId, gateName: "g", resolutionJson }),
  ),
  fieldOf("SetTimer.payload_json", (tape, payloadJson, { runId }) =>
    tape.setTimer({ runId, timerId: "t", fireAtMs: farFuture, kind: "wake", payloadJson }),
  ),
  fieldOf("WriteValue.value_json", (tape, valueJson) => tape.writeValue({ namespace: "n", key: "k", valueJson })),
  fieldOf("CreateSession.state_json", (tape, stateJson) =>
    tape.createSession({ ...session, sessionId: "new", stateJson }),
  ),
  fieldOf("AppendEvent.content_json", (tape, contentJson) => tape.appendEvent({ ...session, event: { contentJson } })),
  fieldOf("AppendEvent.actions_json", (tape, actionsJson) => tape.appendEvent({ ...session, event: { actionsJson } })),
  fieldOf("AppendEvent.state_delta_json", (tape, stateDeltaJson) =>
    tape.appendEvent({ ...session, event: {}, stateDeltaJson }),
  ),
];

async function address(t: Scene): Promise<{ readonly runId: string; readonly key: string }> {
  const runId = await t.run();
  await t.tape.createSession(session);
  return { runId, key: await t.outbox(runId) };
}

/** A JSON string of exactly so many bytes. */
function jsonOf(bytes: number): string {
  return `"${"x".repeat(bytes - 2)}"`;
}

/** The error must name the field, the limit and the size, in its text or in its detail. */
async function namesLimit(call: Call, field: string, limit: number, size: number): Promise<void> {
  const error = await refused(call, "SIZE_LIMIT");
  const said = `${error.message} ${JSON.stringify(error.ids)}`.replaceAll(/[_,\s]/g, "").toLowerCase();
  for (const word of [field.replaceAll("_", ""), limit, size]) {
    assert.ok(
      said.includes(String(word)),
      `the error should name ${word}: ${error.message} ${JSON.stringify(error.ids)}`,
    );
  }
}

const lastPart = (field: string): string => field.split(".").at(-1) ?? field;

/** R7: limits are answers. */
export const limitCases: readonly TapeCase[] = [
  ...[...required, ...optional].map(({ field, send }) =>
    rule("R7", `${field} holds 512 bytes of UTF-8 and not one more`, async (t) => {
      const at = await address(t);
      const whole = "é".repeat(identifierBytes / 2);
      await send(t.tape, whole, at);
      await namesLimit(send(t.tape, `${whole}x`, at), lastPart(field), identifierBytes, identifierBytes + 1);
    }),
  ),
  ...[...required, ...effectKeys].map(({ field, send }) =>
    rule("R7", `${field} must not be empty`, async (t) => {
      const at = await address(t);
      await t.unchanged(at.runId, () => refused(send(t.tape, "", at), "ARGUMENT_INVALID"));
    }),
  ),
  ...payloads.flatMap(({ field, send }) => [
    rule("R7", `${field} must be JSON`, async (t) => {
      const at = await address(t);
      for (const text of ["{", "undefined", "{'a':1}", "1 2", "\u0000"]) {
        const error = await t.unchanged(at.runId, () => refused(send(t.tape, text, at), "ARGUMENT_INVALID"));
        assert.ok(
          error.message.replaceAll("_", "").toLowerCase().includes(lastPart(field).replaceAll("_", "")),
          error.message,
        );
      }
    }),
    rule("R7", `${field} may be empty`, async (t) => {
      await send(t.tape, "", await address(t));
    }),
  ]),
  rule("R7", "payload fields hold 8 MiB and not one byte more", async (t) => {
    const at = await address(t);
    const over = jsonOf(payloadBytes + 1);
    for (const { field, send } of payloads.filter(({ field: name }) => !name.includes("state"))) {
      await namesLimit(send(t.tape, over, at), lastPart(field), payloadBytes, payloadBytes + 1);
    }
    const whole = jsonOf(payloadBytes);
    await t.tape.recordDecision({ runId: at.runId, decisionIndex: 0, requestJson: whole });
    const { decision } = await t.tape.getDecision({ runId: at.runId, decisionIndex: 0 });
    assert.ok(decision?.requestJson === whole, "8 MiB come back as they went in");
  }),
  rule("R7", "a message of more than 16 MiB is refused", async (t) => {
    const runId = await t.run();
    const half = jsonOf(payloadBytes);
    const decision = { runId, decisionIndex: 0, requestJson: half, responseJson: half };
    await t.unchanged(runId, () => refusedAs(t.tape.recordDecision(decision), "RESOURCE_EXHAUSTED"));
  }),

  rule("R7", "a derived key of any length that BeginEffect gives is taken by every call on the effect", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.effect(runId, { toolName: "t".repeat(identifierBytes) });
    await t.tape.registerCompensation({ runId, effectKey: idempotencyKey, kind: "undo" });
    const { status } = await t.tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    assert.equal(status, "CONFIRMED");
  }),
  rule("R7", "a run holds 1,000 open effects; settling one makes room, and settled ones are not counted", async (t) => {
    const runId = await t.run();
    const begin = (index: number) => t.tape.beginEffect({ runId, toolName: "x", customKey: `k${index}` });
    const complete = (index: number) =>
      t.tape.completeEffect({ runId, idempotencyKey: `k${index}`, status: "CONFIRMED" });
    await Promise.all(upTo(1000).map(begin));
    const error = await t.unchanged(runId, () => refused(begin(1000), "COUNT_LIMIT"));
    assert.match(error.message.replaceAll(",", ""), /1000/);
    assert.equal((await begin(7)).status, "PENDING");
    await complete(7);
    await begin(1000);
    await Promise.all(upTo(1001).map(complete));
    await Promise.all(upTo(50).map((index) => begin(2000 + index)));
  }),
  rule("R7", "a run holds 1,000 unfired timers; cancelling one makes room", async (t) => {
    const runId = await t.run();
    const set = (index: number) => t.tape.setTimer({ runId, timerId: `t${index}`, fireAtMs: farFuture, kind: "wake" });
    await Promise.all(upTo(1000).map(set));
    await t.unchanged(runId, () => refused(set(1000), "COUNT_LIMIT"));
    await set(3);
    await t.tape.cancelTimer({ runId, timerId: "t3" });
    await set(1000);
  }),
  rule("R7", "a run has at most 256 labels", async (t) => {
    const labels = (count: number) => Object.fromEntries(upTo(count).map((index) => [`label-${index}`, `${index}`]));
    const runId = await t.run({ labels: labels(256) });
    assert.deepEqual((await t.get(runId)).labels, labels(256));
    await refusedAs(t.begin({ labels: labels(257), invocationId: "many" }), "RESOURCE_EXHAUSTED");
  }),
  rule("R7", "a run is granted at most 256 scopes", async (t) => {
    const scopes = (count: number) => upTo(count).map((index) => `scope-${index}`);
    assert.equal((await t.get(await t.run({ scopes: scopes(256) }))).scopes.length, 256);
    await refusedAs(() => t.begin({ scopes: scopes(257), invocationId: "many" }), "RESOURCE_EXHAUSTED");
  }),
  rule("R7", "text that stands in the feed holds 64 KiB and not one byte more", async (t) => {
    const text = "é".repeat(32 * 1024);
    const { runId, key } = await address(t);
    await t.claim(runId, key);
    const { runId: undoneId, obligations } = await t.undone(1);
    const due = { runId: undoneId, obligationSeq: obligations[0]?.seq ?? 0 };
    await t.tape.claimObligation({ ...due, claimer: "c" });
    const later = t.clock.now() + 1;
    const sends: Readonly<Record<string, (error: string) => Promise<unknown>>> = {
      rationale: (rationale) => t.tape.recordDecision({ runId, decisionIndex: 0, rationale }),
      error: (error) => t.tape.recordDispatchAttempt({ runId, idempotencyKey: key, error, nextDispatchAtMs: later }),
      "obligation error": (error) => t.tape.recordObligationAttempt({ ...due, error, nextAttemptAtMs: later }),
    };
    for (const [field, send] of Object.entries(sends)) {
      await namesLimit(() => send(`${text}x`), field.split(" ").at(-1) ?? field, 65_536, 65_537);
      await send(text);
    }
  }),
  rule("R7", "promised obligations are not limited", async (t) => {
    const runId = await t.run();
    const effectKey = await t.effect(runId);
    await Promise.all(
      upTo(1100).map((index) => t.tape.registerCompensation({ runId, effectKey, kind: `undo-${index}` })),
    );
    assert.equal((await t.obligationsOf(runId)).length, 1100);
  }),
  rule("R7", "pages hold what is asked, 100 unless asked, at most 1,000", async (t) => {
    for (const runId of [await t.run(), await t.run()]) {
      await Promise.all(upTo(505).map((index) => t.outbox(runId, { customKey: `k${index}` })));
    }
    const count = async (limit?: number) => (await t.tape.listEffectsToDispatch({ limit })).effects.length;
    assert.deepEqual(await Promise.all([undefined, 0, 7, 1000, 5000].map(count)), [100, 100, 7, 1000, 1000]);
  }),
  rule("R7", "a claim of nobody, a run of no id and a value of no name write nothing", async (t) => {
    const runId = await t.run();
    const idempotencyKey = await t.outbox(runId);
    await t.unchanged(runId, () =>
      refused(t.tape.claimEffectDispatch({ runId, idempotencyKey, claimer: "" }), "ARGUMENT_INVALID"),
    );
    await refused(t.tape.getRun({ runId: "" }), "ARGUMENT_INVALID");
    await refused(t.tape.getValue({ namespace: "", key: "k" }), "ARGUMENT_INVALID");
  }),
];
