import assert from "node:assert/strict";
import { part, refusedAs, upTo } from "./assertions.ts";
import { farFuture } from "./scene.ts";
import { rule, type TapeCase } from "./tape-case.ts";

/** Names of which an escaping done badly makes two the same, or one a prefix or a path of another. */
const oddNames: readonly string[] = [
  "a",
  "A",
  "a/",
  "/a",
  "a/b",
  "a//b",
  "a%2Fb",
  "a%252Fb",
  "a%",
  "%",
  "a b",
  " a",
  "a ",
  "a+b",
  "a\tb",
  "a\nb",
  "a\r\nb",
  "a\u0000b",
  "a\u0000",
  "a'b",
  'a"b',
  "a`b",
  "a\\b",
  "a;--b",
  "a*",
  "**",
  "_",
  "__",
  "a_b",
  "%5F",
  ".",
  "..",
  "../a",
  "a#b",
  "a?b=c",
  "a&b",
  "a:b",
  "a|b",
  "a=b",
  "~",
  "ä",
  "a\u0308",
  "名前",
  "🜁",
  "👩‍👩‍👧",
  "\u202Ea",
  "\uFEFFa",
  "\uFFFD",
  "\u{10FFFF}",
  "null",
  "undefined",
  "__proto__",
  "constructor",
  "0",
  "00",
  "1e3",
];

/** JSON that a parser and a printer would not give back as it was. */
const fussyJson =
  '{"b" : 1.0,\t"a":[1e2, -0, 12345678901234567890, 0.1000],\n"b":2, "\\u00e9":"é\\/\\ud83d\\ude00 \\u0000", "e":{}  }';

/** R7: any character in any name, and payloads byte for byte. */
export const characterCases: readonly TapeCase[] = [
  rule("R7", "runs are told apart by every character of every part of their identity", async (t) => {
    const parts = ["appName", "userId", "sessionId", "invocationId"] as const;
    const plain = { appName: "a", userId: "a", sessionId: "a", invocationId: "a" };
    const identities = [
      ...parts.flatMap((name) => oddNames.map((odd) => ({ ...plain, [name]: odd }))),
      { ...plain, userId: "" },
      { ...plain, sessionId: "" },
      { appName: "a", userId: "b/c", sessionId: "d", invocationId: "e" },
      { appName: "a/b", userId: "c", sessionId: "d", invocationId: "e" },
      { appName: "ab", userId: "c", sessionId: "", invocationId: "e" },
      { appName: "a", userId: "bc", sessionId: "", invocationId: "e" },
    ];
    const wanted = new Map(identities.map((identity) => [JSON.stringify(Object.values(identity)), identity]));
    const runIds = await Promise.all(
      [...wanted.values()].map(async (identity) => {
        const { runId, resumed } = await t.tape.beginRun(identity);
        assert.equal(resumed, false, `no run should have existed for ${JSON.stringify(identity)}`);
        assert.deepEqual(part(await t.get(runId), ...parts), identity);
        return runId;
      }),
    );
    assert.equal(new Set(runIds).size, wanted.size);
  }),
  rule("R7", "run ids are printable and short", async (t) => {
    const runId = await t.run({ appName: "x/y\n".repeat(100) });
    assert.match(runId, /^[\w.-]{8,80}$/);
  }),
  rule("R7", "effects, gates, timers and obligations are told apart by every character of their names", async (t) => {
    const runId = await t.run({
      labels: Object.fromEntries(oddNames.map((odd) => [`l${odd}`, odd])),
      scopes: [...oddNames],
    });
    const { labels, scopes } = await t.get(runId);
    assert.deepEqual(labels, Object.fromEntries(oddNames.map((odd) => [`l${odd}`, odd])));
    assert.deepEqual([...scopes].toSorted(), [...oddNames].toSorted());
    await Promise.all(
      oddNames.map(async (odd, index) => {
        await t.tape.beginEffect({
          runId,
          toolName: odd,
          customKey: odd,
          requestJson: `${index}`,
          connector: odd,
          businessKey: odd,
        });
        await t.tape.registerCompensation({
          runId,
          effectKey: odd,
          kind: odd,
          payloadJson: `${index}`,
          compensatorRef: odd,
        });
        await t.tape.setTimer({ runId, timerId: odd, fireAtMs: farFuture, kind: odd, payloadJson: `${index}` });
        await t.tape.sendSignal({ runId, gateName: odd, resolutionJson: `${index}` });
      }),
    );
    for (const [index, odd] of oddNames.entries()) {
      const effect = await t.effectOf(runId, odd);
      assert.deepEqual(part(effect, "requestJson", "toolName", "connector", "businessKey"), {
        requestJson: `${index}`,
        toolName: odd,
        connector: odd,
        businessKey: odd,
      });
      assert.equal((await t.tape.awaitSignal({ runId, gateName: odd })).resolutionJson, `${index}`);
    }
    const obligations = await t.obligationsOf(runId);
    assert.deepEqual(
      new Map(obligations.map((obligation) => [obligation.kind, obligation.payloadJson])),
      new Map(oddNames.map((odd, index) => [odd, `${index}`])),
    );
    const { timers } = await t.tape.listDueTimers({ nowMs: farFuture, limit: 1000 });
    assert.deepEqual(
      new Map(timers.map((timer) => [timer.timerId, timer.payloadJson])),
      new Map(oddNames.map((odd, index) => [odd, `${index}`])),
    );
  }),
  rule("R7", "values are told apart by every character of namespace and key", async (t) => {
    const places = [
      ...oddNames.flatMap((odd) => [
        { namespace: odd, key: "k" },
        { namespace: "n", key: odd },
      ]),
      { namespace: "a/b", key: "c" },
      { namespace: "a", key: "b/c" },
      { namespace: "ab", key: "c" },
      { namespace: "a", key: "bc" },
    ];
    const unique = [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
    await Promise.all(
      unique.map((place, index) => t.tape.writeValue({ ...place, valueJson: `${index}`, ifVersion: 0 })),
    );
    for (const [index, place] of unique.entries()) {
      const { value } = await t.tape.getValue(place);
      assert.deepEqual(part(value, "namespace", "key", "valueJson"), { ...place, valueJson: `${index}` });
    }
  }),
  rule(
    "R7",
    "sessions are told apart by every character of their names, and listed under their own user alone",
    async (t) => {
      for (const odd of oddNames) {
        await t.tape.createSession({
          appName: "app",
          userId: odd,
          sessionId: odd,
          stateJson: JSON.stringify({ odd, "user:odd": odd }),
        });
      }
      for (const odd of oddNames) {
        const { sessions } = await t.tape.listSessions({ appName: "app", userId: odd });
        assert.deepEqual(
          sessions.map((session) => [session.userId, session.sessionId]),
          [[odd, odd]],
        );
        const { session } = await t.tape.getSession({ appName: "app", userId: odd, sessionId: odd });
        assert.deepEqual(JSON.parse(session?.stateJson ?? ""), { odd, "user:odd": odd });
      }
    },
  ),
  rule(
    "R7",
    "half of a surrogate pair is no character: two of them are refused or told apart, never taken for one",
    async (t) => {
      const keys = ["\uD800", "\uD801", "\uFFFD"];
      const outcomes = await Promise.allSettled(
        keys.map((key) => t.tape.writeValue({ namespace: "n", key, valueJson: "1", ifVersion: 0 })),
      );
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === "rejected") {
          assert.notEqual(index, 2, "U+FFFD itself is a character");
          await refusedAs(Promise.reject(outcome.reason), "INVALID_ARGUMENT");
        }
      }
    },
  ),

  rule("R7", "payloads come back byte for byte", async (t) => {
    const { tape } = t;
    const runId = await t.run();
    const decided = await tape.recordDecision({
      runId,
      decisionIndex: 0,
      requestJson: fussyJson,
      responseJson: fussyJson,
      rationale: fussyJson,
    });
    const { decision } = await tape.getDecision({ runId, decisionIndex: 0 });
    const { idempotencyKey } = await tape.beginEffect({ runId, toolName: "x", requestJson: fussyJson });
    await tape.completeEffect({
      runId,
      idempotencyKey,
      status: "FAILED",
      responseJson: fussyJson,
      errorJson: fussyJson,
    });
    const effect = await t.effectOf(runId, idempotencyKey);
    const replayed = await tape.beginEffect({ runId, toolName: "x", requestJson: fussyJson });
    await tape.registerCompensation({ runId, effectKey: idempotencyKey, kind: "undo", payloadJson: fussyJson });
    const [obligation] = await t.obligationsOf(runId);
    await tape.sendSignal({ runId, gateName: "g", resolutionJson: fussyJson });
    const answer = await tape.awaitSignal({ runId, gateName: "g" });
    const timer = await tape.setTimer({
      runId,
      timerId: "t",
      fireAtMs: farFuture,
      kind: "wake",
      payloadJson: fussyJson,
    });
    const [due] = (await tape.listDueTimers({ nowMs: farFuture })).timers;
    await tape.writeValue({ namespace: "n", key: "k", valueJson: fussyJson });
    const { value } = await tape.getValue({ namespace: "n", key: "k" });
    const session = { appName: "app", userId: "u", sessionId: "s" };
    await tape.createSession(session);
    await tape.appendEvent({ ...session, event: { id: "e", contentJson: fussyJson, actionsJson: fussyJson } });
    const event = (await tape.getSession(session)).session?.events[0];
    const all = [
      decided.requestJson,
      decided.responseJson,
      decision?.requestJson,
      decision?.responseJson,
      decision?.rationale,
      effect.requestJson,
      effect.responseJson,
      effect.errorJson,
      replayed.responseJson,
      replayed.errorJson,
      obligation?.payloadJson,
      answer.resolutionJson,
      timer.payloadJson,
      due?.payloadJson,
      value?.valueJson,
      event?.contentJson,
      event?.actionsJson,
    ];
    assert.deepEqual(
      all,
      all.map(() => fussyJson),
    );
  }),
  rule("R7", "an empty payload stays empty", async (t) => {
    const { tape } = t;
    const runId = await t.run();
    await tape.recordDecision({ runId, decisionIndex: 0 });
    const { decision } = await tape.getDecision({ runId, decisionIndex: 0 });
    assert.deepEqual(part(decision, "requestJson", "responseJson", "rationale", "model"), {
      requestJson: "",
      responseJson: "",
      rationale: "",
      model: "",
    });
    const idempotencyKey = await t.effect(runId);
    const effect = await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED" });
    assert.deepEqual(part(effect, "requestJson", "responseJson", "errorJson"), {
      requestJson: "",
      responseJson: "",
      errorJson: "",
    });
    assert.equal((await tape.sendSignal({ runId, gateName: "g" })).accepted, true);
    assert.deepEqual(await tape.awaitSignal({ runId, gateName: "g" }), { delivered: true, resolutionJson: "" });
    assert.equal((await tape.writeValue({ namespace: "n", key: "k", valueJson: "" })).valueJson, "");
    assert.equal((await tape.getValue({ namespace: "n", key: "k" })).value?.valueJson, "");
  }),
  rule("R7", "numbers in session state keep their digits through a merge", async (t) => {
    const session = { appName: "app", userId: "u", sessionId: "s" };
    await t.tape.createSession({ ...session, stateJson: '{"big":12345678901234567890,"b":1}' });
    await t.tape.appendEvent({ ...session, event: {}, stateDeltaJson: '{"b":2,"user:big":98765432109876543210}' });
    const { stateJson = "" } = (await t.tape.getSession(session)).session ?? {};
    for (const digits of ["12345678901234567890", "98765432109876543210"])
      assert.ok(stateJson.includes(digits), stateJson);
  }),
  rule("R7", "wide payloads of many runs do not mix", async (t) => {
    const runIds = await Promise.all(upTo(12).map(() => t.run()));
    const text = (runId: string) => JSON.stringify({ runId, filler: runId.repeat(20_000) });
    await Promise.all(
      runIds.map((runId) => t.tape.recordDecision({ runId, decisionIndex: 0, responseJson: text(runId) })),
    );
    for (const runId of runIds) {
      const { decision } = await t.tape.getDecision({ runId, decisionIndex: 0 });
      assert.ok(decision?.responseJson === text(runId));
    }
  }),
];
