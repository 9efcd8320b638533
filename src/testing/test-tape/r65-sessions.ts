import assert from "node:assert/strict";
import type { EventRecord, Session } from "../../model/session.ts";
import type { Tape } from "../../model/tape.ts";
import { part, refused, refusedAs, upTo } from "./assertions.ts";
import type { Scene } from "./scene.ts";
import { rule, tenantRule, type TapeCase } from "./tape-case.ts";

const place = { appName: "app", userId: "ada", sessionId: "s" };
type Place = typeof place;

async function read(t: Scene, where: Place = place, maxEvents?: number): Promise<Session> {
  const { found, session } = await t.tape.getSession({ ...where, maxEvents });
  assert.ok(found && session, `session ${where.sessionId} should be found`);
  return session;
}

async function state(t: Scene, where: Place = place): Promise<unknown> {
  return JSON.parse((await read(t, where)).stateJson || "{}");
}

function append(t: Scene, delta: object, event: EventRecord = {}, where: Place = place, tape: Tape = t.tape) {
  return tape.appendEvent({ ...where, event, stateDeltaJson: JSON.stringify(delta) });
}

const ids = (session: Session): string[] => session.events.map((event) => event.id ?? "");

/** R65 and R66: sessions. */
export const sessionCases: readonly TapeCase[] = [
  rule("R65", "an event is kept as it was sent, with the server's time unless it has one", async (t) => {
    await t.tape.createSession(place);
    const sent = {
      id: "e1",
      invocationId: "i",
      author: "a",
      branch: "b",
      contentJson: '{"t":1}',
      actionsJson: "[]",
      timestampMs: 77,
    };
    const appended = await t.tape.appendEvent({ ...place, event: sent });
    assert.deepEqual(appended.event, sent);
    await t.clock.advance(500);
    const { event } = await t.tape.appendEvent({ ...place, event: {} });
    assert.equal(event.timestampMs, t.clock.now());
    assert.ok(event.id !== undefined && event.id !== "", "an event without an id gets one");
    const session = await read(t);
    assert.deepEqual(session.events, [sent, event]);
    assert.equal(session.lastUpdateTimeMs, t.clock.now());
  }),
  rule("R65", "event and state change are one: both or neither", async (t) => {
    await t.tape.createSession({ ...place, stateJson: '{"a":1}' });
    for (const stateDeltaJson of ["{", "[]", "7", '"text"', "null"]) {
      await refused(t.tape.appendEvent({ ...place, event: { id: "bad" }, stateDeltaJson }), "ARGUMENT_INVALID");
    }
    await refused(
      t.tape.appendEvent({ ...place, event: { id: "bad", contentJson: "{" }, stateDeltaJson: '{"user:a":1}' }),
      "ARGUMENT_INVALID",
    );
    assert.deepEqual([await state(t), ids(await read(t))], [{ a: 1 }, []]);
    await append(t, { a: 2 }, { id: "good" });
    assert.deepEqual([await state(t), ids(await read(t))], [{ a: 2 }, ["good"]]);
  }),
  rule("R65", "state is merged shallowly, null removes a key, temp: keys are dropped", async (t) => {
    await t.tape.createSession({ ...place, stateJson: '{"deep":{"x":1,"y":2},"gone":1,"kept":[1],"temp:t":1}' });
    assert.deepEqual(await state(t), { deep: { x: 1, y: 2 }, gone: 1, kept: [1] });
    await append(t, { deep: { z: 3 }, gone: null, "temp:t": 2, new: false, never: null });
    assert.deepEqual(await state(t), { deep: { z: 3 }, kept: [1], new: false });
  }),
  rule("R65", "merged state is limited like a payload", async (t) => {
    await t.tape.createSession(place);
    const large = "x".repeat(5 * 1024 * 1024);
    await append(t, { one: large }, { id: "e1" });
    await refusedAs(() => append(t, { two: large }, { id: "e2" }), "RESOURCE_EXHAUSTED");
    assert.deepEqual([Object.keys((await state(t)) as object), ids(await read(t))], [["one"], ["e1"]]);
  }),
  rule("R65", "user: keys are shared by the user's sessions of the app, app: keys by all of the app", async (t) => {
    const [mine, other] = [place, { ...place, sessionId: "s2" }];
    const [hers, elsewhere] = [
      { ...place, userId: "bob" },
      { ...place, appName: "another" },
    ];
    for (const where of [mine, other, hers, elsewhere]) await t.tape.createSession(where);
    await append(t, { "user:u": 1, "app:a": 1, own: 1 });
    assert.deepEqual(await state(t, mine), { "user:u": 1, "app:a": 1, own: 1 });
    assert.deepEqual(await state(t, other), { "user:u": 1, "app:a": 1 });
    assert.deepEqual(await state(t, hers), { "app:a": 1 });
    assert.deepEqual(await state(t, elsewhere), {});
    await append(t, { "user:u": null, "app:a": { b: 2 } }, {}, other);
    assert.deepEqual(await state(t, mine), { "app:a": { b: 2 }, own: 1 });
    await t.reopen();
    assert.deepEqual(await state(t, hers), { "app:a": { b: 2 } });
  }),
  rule("R65", "user: and app: keys outlive the session that wrote them", async (t) => {
    await t.tape.createSession({ ...place, stateJson: '{"user:u":1,"app:a":2,"own":3}' });
    await t.tape.deleteSession(place);
    await t.tape.createSession(place);
    assert.deepEqual(await state(t), { "user:u": 1, "app:a": 2 });
  }),
  rule("R65", "appends at the same time lose nothing, of any scope, through any engine", async (t) => {
    const tapes = [t.tape, await t.other()];
    const sessions = ["s1", "s2", "s3"].map((sessionId) => ({ ...place, sessionId }));
    for (const where of sessions) await t.tape.createSession(where);
    const writes = sessions.flatMap((where) =>
      upTo(8).map((index) => ({ where, index, name: `${where.sessionId}-${index}` })),
    );
    await Promise.all(
      writes.map(({ where, index, name }) =>
        append(
          t,
          { [`own-${name}`]: 1, [`user:${name}`]: 1, [`app:${name}`]: 1 },
          { id: name },
          where,
          tapes[index % 2],
        ),
      ),
    );
    const shared = writes.flatMap(({ name }) => [`user:${name}`, `app:${name}`]);
    for (const where of sessions) {
      const own = upTo(8).map((index) => `own-${where.sessionId}-${index}`);
      assert.deepEqual(Object.keys((await state(t, where)) as object).toSorted(), [...shared, ...own].toSorted());
      assert.deepEqual(
        ids(await read(t, where)).toSorted(),
        upTo(8).map((index) => `${where.sessionId}-${index}`),
      );
    }
  }),
  rule("R65", "the same event sent at the same time is appended once", async (t) => {
    const tapes = [t.tape, await t.other()];
    await t.tape.createSession(place);
    await append(t, { "user:n": 0 });
    const sent = await Promise.all(
      upTo(6).map((index) => append(t, { "user:n": 1, "app:n": 1, n: 1 }, { id: "once" }, place, tapes[index % 2])),
    );
    assert.equal(new Set(sent.map((answer) => JSON.stringify(answer.event))).size, 1);
    assert.deepEqual(
      ids(await read(t)).filter((id) => id === "once"),
      ["once"],
    );
  }),
  rule("R65", "a retry applies nothing twice, not even after others changed the same shared key", async (t) => {
    const other = { ...place, sessionId: "s2" };
    for (const where of [place, other]) await t.tape.createSession(where);
    await append(t, { "user:k": "old", "app:k": "old", k: "old" }, { id: "e1" });
    await append(t, { "user:k": "new", "app:k": "new" }, { id: "e2" }, other);
    await t.reopen();
    await append(t, { "user:k": "old", "app:k": "old", k: "old" }, { id: "e1" });
    assert.deepEqual(await state(t), { "user:k": "new", "app:k": "new", k: "old" });
    assert.deepEqual(ids(await read(t)), ["e1"]);
  }),
  rule("R65", "events are in the order of their commits, whatever their times say", async (t) => {
    await t.tape.createSession(place);
    for (const [index, timestampMs] of [500, 100, 100, 900, 1].entries())
      await append(t, {}, { id: `e${index}`, timestampMs });
    assert.deepEqual(ids(await read(t)), ["e0", "e1", "e2", "e3", "e4"]);
  }),
  rule("R65", "a session that does not exist is SESSION_NOT_FOUND, and nothing is written for it", async (t) => {
    for (const where of [place, { ...place, userId: "" }]) {
      await refused(append(t, { "user:u": 1, "app:a": 1 }, {}, where), "SESSION_NOT_FOUND");
    }
    await t.tape.createSession(place);
    assert.deepEqual(await state(t), {});
    await t.tape.deleteSession(place);
    await refused(append(t, { "user:u": 1 }), "SESSION_NOT_FOUND");
  }),

  rule("R66", "a session without an id gets one", async (t) => {
    const [one, two] = [
      await t.tape.createSession({ appName: "app", userId: "ada" }),
      await t.tape.createSession({ appName: "app", userId: "ada" }),
    ];
    assert.ok(one.sessionId !== "" && one.sessionId !== two.sessionId);
    assert.deepEqual(part(one, "appName", "userId", "events", "lastUpdateTimeMs"), {
      appName: "app",
      userId: "ada",
      events: [],
      lastUpdateTimeMs: t.clock.now(),
    });
    assert.equal((await t.tape.getSession({ ...place, sessionId: one.sessionId })).found, true);
  }),
  rule("R66", "an existing session is returned as it is, but not when the request brings state", async (t) => {
    await t.tape.createSession({ ...place, stateJson: '{"a":1}' });
    await append(t, { b: 2 }, { id: "e" });
    const again = await t.tape.createSession(place);
    assert.deepEqual(JSON.parse(again.stateJson), { a: 1, b: 2 });
    await refused(t.tape.createSession({ ...place, stateJson: '{"a":9,"user:u":9}' }), "SESSION_EXISTS");
    assert.deepEqual(await state(t), { a: 1, b: 2 });
  }),
  rule("R66", "of callers that create one session with state at once, one makes it", async (t) => {
    const tapes = [t.tape, await t.other()];
    const outcomes = await Promise.allSettled(
      upTo(6).map((index) => (tapes[index % 2] ?? t.tape).createSession({ ...place, stateJson: `{"by":${index}}` })),
    );
    const made = outcomes.filter((outcome) => outcome.status === "fulfilled");
    assert.equal(made.length, 1);
    assert.deepEqual(await state(t), JSON.parse(made[0]?.value.stateJson ?? ""));
  }),
  rule("R66", "reading gives all events, or the latest n in order", async (t) => {
    await t.tape.createSession(place);
    for (const index of upTo(7)) await append(t, {}, { id: `e${index}` });
    for (const [maxEvents, first] of [
      [undefined, 0],
      [0, 0],
      [3, 4],
      [1, 6],
      [7, 0],
      [50, 0],
    ] as const) {
      assert.deepEqual(
        ids(await read(t, place, maxEvents)),
        upTo(7)
          .slice(first)
          .map((index) => `e${index}`),
        `max_events ${maxEvents}`,
      );
    }
  }),
  rule("R66", "a session that does not exist is found=false", async (t) => {
    const { found, session } = await t.tape.getSession(place);
    assert.deepEqual([found, session], [false, undefined]);
    await t.tape.createSession(place);
    for (const other of [{ userId: "bob" }, { appName: "x" }, { sessionId: "t" }, { userId: "" }]) {
      assert.equal((await t.tape.getSession({ ...place, ...other })).found, false);
    }
  }),
  rule("R66", "sessions of a user are listed newest first, without events", async (t) => {
    for (const sessionId of ["s1", "s2", "s3"]) {
      await t.tape.createSession({ ...place, sessionId, stateJson: `{"id":"${sessionId}","user:u":1}` });
      await t.clock.advance(10);
    }
    await t.tape.createSession({ ...place, userId: "bob" });
    await append(t, {}, { id: "e" }, { ...place, sessionId: "s1" });
    const list = async () => (await t.tape.listSessions({ appName: "app", userId: "ada" })).sessions;
    const sessions = await list();
    assert.deepEqual(
      sessions.map((session) => session.sessionId),
      ["s3", "s2", "s1"],
    );
    for (const session of sessions) assert.deepEqual(session.events, []);
    assert.equal((JSON.parse(sessions[1]?.stateJson ?? "{}") as { id?: string }).id, "s2");
    await t.tape.deleteSession({ ...place, sessionId: "s2" });
    assert.deepEqual(
      (await list()).map((session) => session.sessionId),
      ["s3", "s1"],
    );
    assert.deepEqual((await t.tape.listSessions({ appName: "app", userId: "nobody" })).sessions, []);
  }),
  rule("R66", "a deleted session is gone with its events; its name can be used again", async (t) => {
    await t.tape.createSession({ ...place, stateJson: '{"a":1}' });
    await append(t, {}, { id: "e" });
    assert.deepEqual(await t.tape.deleteSession(place), { deleted: true });
    assert.equal((await t.tape.getSession(place)).found, false);
    assert.deepEqual(await t.tape.deleteSession(place), { deleted: false });
    await t.reopen();
    const again = await t.tape.createSession({ ...place, stateJson: '{"b":1}' });
    assert.deepEqual([JSON.parse(again.stateJson), again.events], [{ b: 1 }, []]);
    assert.equal((await append(t, { c: 1 }, { id: "e" })).event.id, "e");
    assert.deepEqual([await state(t), ids(await read(t))], [{ b: 1, c: 1 }, ["e"]]);
  }),
  tenantRule("R66", "sessions, values and runs of other tenants do not exist", async (t, tapeFor) => {
    const [red, blue] = [
      await tapeFor({ partition: "red", tenant: "red" }),
      await tapeFor({ partition: "blue", tenant: "blue" }),
    ];
    await red.createSession({ ...place, stateJson: '{"app:a":1,"user:u":1}' });
    await red.writeValue({ namespace: "n", key: "k", valueJson: "1" });
    const { runId } = await red.beginRun({ ...place, invocationId: "i", leaseTtlMs: 1000 });
    await red.setTimer({ runId, timerId: "t", fireAtMs: t.clock.now(), kind: "wake" });
    await red.beginEffect({ runId, toolName: "x", dispatchMode: "OUTBOX", connector: "c" });
    assert.equal((await red.getRun({ runId })).tenantId, "red");
    await t.clock.advance(2000);
    for (const stranger of [blue, t.tape]) {
      assert.equal((await stranger.getSession(place)).found, false);
      assert.equal((await stranger.getValue({ namespace: "n", key: "k" })).found, false);
      await refused(stranger.getRun({ runId }), "RUN_NOT_FOUND");
      await refused(stranger.endRun({ runId, status: "FAILED" }), "RUN_NOT_FOUND");
      const lists = [
        (await stranger.listRunsToRecover()).runs,
        (await stranger.listDueTimers({ claim: true })).timers,
        (await stranger.listEffectsToDispatch()).effects,
        (await stranger.listSessions(place)).sessions,
      ];
      assert.deepEqual(lists, [[], [], [], []]);
      await stranger.createSession(place);
      assert.equal((await stranger.getSession(place)).session?.stateJson.includes("app:a"), false);
    }
    assert.deepEqual(
      (await red.listDueTimers({ claim: true })).timers.map((timer) => timer.timerId),
      ["t"],
    );
    await refused(red.beginRun({ appName: "app", invocationId: "j", tenantId: "blue" }), "TENANT_NOT_GRANTED");
    assert.equal((await red.beginRun({ appName: "app", invocationId: "j", tenantId: "red" })).resumed, false);
  }),
];
