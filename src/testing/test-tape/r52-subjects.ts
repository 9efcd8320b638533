import assert from "node:assert/strict";
import type { EventEntry } from "../../model/feed.ts";
import { fields, part } from "./assertions.ts";
import { dispatcher, verbOf, type Scene } from "./scene.ts";
import { follow } from "./stream.ts";
import { rule, type TapeCase } from "./tape-case.ts";

/** What the table of rule R52 says of a kind: its verbs, its dimensions, the fields of every payload and those that a transition may bring. */
interface KindOfEntry {
  readonly verbs: readonly string[];
  readonly dims: number;
  readonly always: readonly string[];
  readonly sometimes?: readonly string[];
}

const kinds: Readonly<Record<string, KindOfEntry>> = {
  run: {
    verbs: ["running", "terminal", "failed", "cancelled", "stuck", "compensating"],
    dims: 4,
    always: [
      "app",
      "user",
      "session",
      "run_id",
      "invocation_id",
      "status",
      "tenant_id",
      "actor",
      "subject",
      "agent_id",
    ],
  },
  decision: { verbs: ["recorded"], dims: 2, always: ["decision_index", "model", "policy_version", "rationale"] },
  effect: {
    verbs: ["pending", "claimed", "confirmed", "failed", "unknown", "observed"],
    dims: 2,
    always: [
      "tool",
      "decision_index",
      "idempotency_key",
      "status",
      "semantics",
      "dispatch_mode",
      "business_key",
      "connector",
      "scope",
    ],
    sometimes: [
      "transition",
      "claimer",
      "dispatch_attempts",
      "error",
      "next_dispatch_at_ms",
      "external_ref",
      "resolution",
    ],
  },
  obligation: {
    verbs: ["pending", "committed", "compensated", "stuck"],
    dims: 2,
    always: ["obligation_seq", "effect_key", "kind", "status"],
    sometimes: ["transition", "attempts", "error", "next_attempt_at_ms"],
  },
  gate: { verbs: ["waiting", "released"], dims: 2, always: ["gate", "occurrence", "status"] },
  timer: { verbs: ["set", "fired", "cancelled"], dims: 2, always: ["timer_id", "kind", "fire_at_ms"] },
  budget: { verbs: ["charged"], dims: 1, always: ["usd", "tokens", "usd_spent", "tokens_spent"] },
  policy: {
    verbs: ["denied"],
    dims: 2,
    always: ["tool", "decision_index", "required_scope", "granted_scopes", "violation"],
  },
  value: {
    verbs: ["changed", "deleted"],
    dims: 2,
    always: ["namespace", "key", "version", "writer"],
    sometimes: ["value", "deleted"],
  },
  event: { verbs: ["appended"], dims: 3, always: ["app", "user", "session", "event_id", "invocation_id", "author"] },
};

const secret = "a payload body";
const body = JSON.stringify({ secret });

/** One of everything that writes an entry. */
async function everything(t: Scene): Promise<readonly EventEntry[]> {
  const { tape } = t;
  const stream = follow((signal) => tape.subscribeEvents({}, { signal }));
  const runId = await t.run({ tenantId: "tenant", actor: "actor", subject: "sub", agentId: "agent-id" });
  await tape.recordDecision({
    runId,
    decisionIndex: 3,
    model: "m",
    policyVersion: "p",
    rationale: "r",
    requestJson: body,
    responseJson: body,
  });
  const inline = await t.effect(runId, { toolName: "tool", requestJson: body });
  await tape.completeEffect({ runId, idempotencyKey: inline, status: "FAILED", errorJson: body, responseJson: body });
  const idempotencyKey = await t.outbox(runId, { businessKey: "b", scope: "s" });
  for (const nextDispatchAtMs of [t.clock.now(), 0]) {
    await t.claim(runId, idempotencyKey);
    await tape.recordDispatchAttempt({ runId, idempotencyKey, error: "busy", nextDispatchAtMs });
  }
  await tape.recordExternalObservation({ runId, idempotencyKey, resolution: "ABSENT", externalRef: "ref" });
  await tape.recordExternalObservation({
    runId,
    idempotencyKey,
    resolution: "DUPLICATE",
    externalRef: "ref",
    compensateOnDuplicateKind: "refund",
    responseJson: body,
  });
  await tape.registerCompensation({ runId, effectKey: inline, kind: "undo", payloadJson: body });
  await tape
    .beginEffect({
      runId,
      toolName: "denied",
      semantics: "NON_IDEMPOTENT",
      dispatchMode: "OUTBOX",
      connector: "c",
      scope: "none",
    })
    .catch(() => undefined);
  await tape.chargeBudget({ runId, usd: 0.5, tokens: 3 });
  await tape.setTimer({ runId, timerId: "one", fireAtMs: t.clock.now(), kind: "wake", payloadJson: body });
  await tape.listDueTimers({ claim: true });
  await tape.setTimer({ runId, timerId: "two", fireAtMs: t.clock.now() + 9, kind: "wake" });
  await tape.cancelTimer({ runId, timerId: "two" });
  await tape.awaitSignal({ runId, gateName: "gate", payloadJson: body });
  await tape.sendSignal({ runId, gateName: "gate", resolutionJson: body });
  await tape.endRun({ runId, status: "COMPENSATING", detailJson: body });
  for (const { seq } of await t.obligationsOf(runId)) {
    const due = { runId, obligationSeq: seq };
    await tape.claimObligation({ ...due, claimer: dispatcher });
    await tape.recordObligationAttempt({ ...due, error: "busy", nextAttemptAtMs: t.clock.now() });
    await tape.claimObligation({ ...due, claimer: dispatcher });
    await tape.resolveObligation({ ...due, status: "STUCK", resultJson: body });
    await tape.resolveObligation({ ...due, status: "COMPENSATED", resultJson: body });
  }
  for (const status of ["TERMINAL", "CANCELLED"] as const) await tape.endRun({ runId: await t.run(), status });
  await tape.writeValue({ namespace: "n", key: "k", valueJson: "7", writer: "w" });
  await tape.deleteValue({ namespace: "n", key: "k" });
  const session = { appName: "app", userId: "u", sessionId: "s" };
  await tape.createSession({ ...session, stateJson: '{"user:a":1,"app:b":2}' });
  await tape.appendEvent({
    ...session,
    event: { id: "e", invocationId: "i", author: "a", contentJson: body },
    stateDeltaJson: '{"user:a":2,"app:b":3,"c":4}',
  });
  await tape.writeValue({ namespace: "last", key: "k", valueJson: "1" });
  const seen: EventEntry[] = [];
  for (let entry = await stream.next(); !entry.subject.includes("/last/"); entry = await stream.next())
    seen.push(entry);
  await stream.leave();
  return seen;
}

/** The segments of a subject behind kind and verb, decoded. */
function dims(entry: { readonly subject: string }): string[] {
  return entry.subject
    .split("/")
    .slice(4)
    .map((segment) => (segment === "_" ? "" : decodeURIComponent(segment)));
}

/** R52: what entries say. */
export const subjectCases: readonly TapeCase[] = [
  rule(
    "R52",
    "kinds, verbs, dimensions and payload fields are those of the table, and every verb of it is written",
    async (t) => {
      const entries = await everything(t);
      for (const entry of entries) {
        const kind = kinds[entry.kind];
        assert.ok(kind, `a kind of the table, not ${entry.kind}`);
        const [of, verb = ""] = verbOf(entry).split("/");
        assert.equal(of, entry.kind);
        assert.ok(kind.verbs.includes(verb), `a verb of ${entry.kind}, not ${verb}`);
        assert.equal(dims(entry).length, kind.dims, entry.subject);
        const names = Object.keys(fields(entry.payloadJson));
        assert.deepEqual(
          kind.always.filter((name) => !names.includes(name)),
          [],
          `missing in ${entry.subject}: ${entry.payloadJson}`,
        );
        const known = new Set([...kind.always, ...(kind.sometimes ?? [])]);
        assert.deepEqual(
          names.filter((name) => !known.has(name)),
          [],
          `unknown in ${entry.subject}: ${entry.payloadJson}`,
        );
        assert.equal(entry.schemaVersion, 1);
        assert.ok(!entry.payloadJson.includes(secret), `a payload body in ${entry.payloadJson}`);
      }
      const written = new Set(entries.map(verbOf));
      const table = Object.entries(kinds).flatMap(([kind, { verbs }]) => verbs.map((verb) => `${kind}/${verb}`));
      assert.deepEqual(
        table.filter((verb) => !written.has(verb) && verb !== "effect/observed" && verb !== "effect/confirmed"),
        [],
      );
      assert.ok(written.has("effect/observed") || written.has("effect/confirmed"));
    },
  ),
  rule("R52", "payloads say what happened", async (t) => {
    const entries = await everything(t);
    const said = (verb: string, index = 0) =>
      fields(entries.filter((entry) => verbOf(entry) === verb)[index]?.payloadJson ?? "{}");
    const run = said("run/running");
    assert.deepEqual(Object.values(part(run, "app", "user", "session", "tenant_id", "actor", "subject", "agent_id")), [
      "app",
      "user",
      "session",
      "tenant",
      "actor",
      "sub",
      "agent-id",
    ]);
    assert.match(String(run["status"]), /RUNNING$/);
    assert.deepEqual(said("decision/recorded"), { decision_index: 3, model: "m", policy_version: "p", rationale: "r" });
    assert.deepEqual(said("budget/charged"), { usd: 0.5, tokens: 3, usd_spent: 0.5, tokens_spent: 3 });
    assert.deepEqual(part(said("policy/denied"), "tool", "required_scope", "granted_scopes"), {
      tool: "denied",
      required_scope: "none",
      granted_scopes: ["wire"],
    });
    assert.deepEqual(part(said("timer/fired"), "timer_id", "kind"), { timer_id: "one", kind: "wake" });
    assert.deepEqual(part(said("gate/released"), "gate", "occurrence"), { gate: "gate", occurrence: 1 });
    assert.equal(said("effect/claimed")["claimer"], dispatcher);
    const again = said("effect/pending", 2);
    assert.deepEqual(part(again, "dispatch_attempts", "error", "next_dispatch_at_ms"), {
      dispatch_attempts: 1,
      error: "busy",
      next_dispatch_at_ms: t.clock.now(),
    });
    assert.equal(said("effect/unknown")["dispatch_attempts"], 2);
    const observed = entries
      .filter((entry) => entry.kind === "effect")
      .map((entry) => fields(entry.payloadJson))
      .filter((each) => each["external_ref"] === "ref");
    assert.deepEqual(
      observed.map((each) => String(each["resolution"]).replace(/^.*_/, "")),
      ["ABSENT", "DUPLICATE"],
    );
    assert.deepEqual(said("value/changed"), {
      namespace: "n",
      key: "k",
      version: 1,
      writer: "w",
      value: { namespace: "n", key: "k", value_json: "7", version: 1 },
    });
    assert.deepEqual(part(said("value/deleted"), "namespace", "key", "version", "deleted"), {
      namespace: "n",
      key: "k",
      version: 2,
      deleted: true,
    });
    assert.deepEqual(said("event/appended"), {
      app: "app",
      user: "u",
      session: "s",
      event_id: "e",
      invocation_id: "i",
      author: "a",
    });
    for (const entry of entries.filter(({ kind }) => kind === "value" || kind === "event"))
      assert.equal(entry.runId, "");
    assert.deepEqual(
      entries.filter(({ kind }) => kind === "value").map((entry) => entry.seq),
      [1, 2],
    );
  }),
  rule("R52", "subjects name what they are about", async (t) => {
    const entries = await everything(t);
    const of = (verb: string) => dims(entries.find((entry) => verbOf(entry) === verb) ?? { subject: "" });
    const { runId = "" } = entries[0] ?? {};
    assert.deepEqual(of("run/running"), ["app", "user", "session", runId]);
    assert.deepEqual(of("decision/recorded"), [runId, "3"]);
    assert.deepEqual(of("effect/pending"), ["tool", runId]);
    assert.deepEqual(of("obligation/compensated")[1], runId);
    assert.deepEqual(of("gate/waiting"), ["gate", runId]);
    assert.deepEqual(of("timer/set"), ["wake", runId]);
    assert.deepEqual(of("budget/charged"), [runId]);
    assert.deepEqual(of("policy/denied"), ["denied", runId]);
    assert.deepEqual(of("value/changed"), ["n", "k"]);
    assert.deepEqual(of("event/appended"), ["app", "u", "s"]);
  }),
  rule("R52", "segments are encoded so that no two names are one: slashes, percents, empty and _", async (t) => {
    const names = ["", "_", "%5F", "a/b", "a%2Fb", "*", "**", " ", "é", "👩‍👩‍👧", "a\nb", "..", "\u0000"];
    const runIds = await Promise.all(names.map((userId) => t.run({ userId })));
    const subjects = await Promise.all(runIds.map(async (runId) => (await t.journal(runId))[0]?.subject ?? ""));
    assert.deepEqual(
      subjects.map((subject) => decodeURIComponent(subject.split("/")[5] ?? "")),
      ["_", ...names.slice(1)],
    );
    const raw = subjects.map((subject) => subject.split("/")[5] ?? "");
    assert.equal(raw[0], "_");
    assert.equal(new Set(raw).size, names.length);
    for (const subject of subjects) assert.match(subject, /^[!-~]+$/);
    for (const [index, segment] of raw.entries()) {
      // Taken as a pattern, an encoded name finds itself; a name of stars is no pattern.
      const stream = follow((signal) =>
        t.tape.subscribeEvents({ subjectPattern: `/tape/run/running/app/${segment}/*/*` }, { signal }),
      );
      assert.equal((await stream.next()).runId, runIds[index], names[index]);
      await stream.leave();
    }
  }),
];
