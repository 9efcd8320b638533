import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plain, reloaded, RowDriver, startMs } from "../../../test/journal/row-driver.ts";
import { partitionOf } from "../../codec/row-id.ts";
import { newestFirstKey } from "../../codec/time-key.ts";
import type { TapeError } from "../../errors.ts";
import { defaultLimits as limits } from "../limits.ts";
import { appendEvent, appendEventCommand, createSession, deleteSession, getSession, stateDelta } from "./decide.ts";
import { mergeState, sessionRules, type Session, type SessionRowEvent } from "./session.ts";
import { mergeShared, readShared, sharedStateRules } from "./shared-state.ts";

const key = { appName: "app", userId: "user", sessionId: "session" } as const;
const drive = (): RowDriver<Session, SessionRowEvent> => new RowDriver(sessionRules);
const create = (stateJson = "", dry = false) => {
  const delta = stateDelta("state_json", stateJson, limits);
  return createSession(key, delta, delta.own.size + delta.user.size + delta.app.size === 0, dry);
};
const append = (id: string, stateDeltaJson = "", dry = false) => {
  const event = { id, author: "ada", contentJson: `{"text":"${id}"}`, actionsJson: "", branch: "b" };
  return appendEvent(appendEventCommand({ ...key, event, stateDeltaJson }, "fresh", limits), dry);
};

/** JSON texts that JavaScript cannot hold, or that are easily changed on the way through. */
const raw = fc.oneof(
  fc.constantFrom("null", "12345678901234567890", "1.10", '"\\u00e9"', '{"a" : [1, {"b":"}"}]}', "[]", '"é,"'),
  fc.json({ maxDepth: 1 }),
);
const delta = fc
  .uniqueArray(fc.tuple(fc.constantFrom("a", "b", "c", "ü", "", "__proto__"), raw), { selector: ([name]) => name })
  .map((members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}: ${value}`).join(" , ")}}`);

type Step = (session: ReturnType<typeof drive>) => void;
const steps: fc.Arbitrary<Step> = fc.oneof(
  delta.map(
    (state): Step =>
      (session) =>
        void session.call(create(state)),
  ),
  fc.constant<Step>((session) => void session.call(deleteSession)),
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constantFrom("e1", "e2", "e3", "e4", "e5"), delta).map(
      ([id, change]): Step =>
        (session) =>
          void session.call(append(id, change)),
    ),
  },
);

function refusing(step: Step): Step {
  return (session) => {
    try {
      step(session);
    } catch (error) {
      expect(["SESSION_EXISTS", "SESSION_NOT_FOUND"]).toContain((error as TapeError).reason);
    }
  };
}

const histories = fc.array(steps.map(refusing), { maxLength: 30, size: "max" });

describe("every history of a session", () => {
  it("is the same when loaded from the store, and when caught up from any earlier moment", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const session = drive();
        const earlier = [structuredClone(session.state)];
        for (const step of history) {
          session.now += 1;
          step(session);
          assert.deepEqual(reloaded(session), plain(session.state));
          earlier.push(structuredClone(session.state));
        }
        for (const known of earlier) assert.deepEqual(reloaded(session, known), plain(session.state));
      }),
      { numRuns: 60 },
    );
  });

  it("is in the list of its user's sessions while it exists, by the time of its creation", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const session = drive();
        for (const step of history) {
          step(session);
          const wanted = { index: "~/sessions/app/user", key: newestFirstKey(session.state.createdAtMs) };
          assert.deepEqual(session.keys(), session.state.exists ? [wanted] : []);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe("a session", () => {
  it("answers a repeated event with the recorded one (R65)", () => {
    const session = drive();
    session.call(create());
    const first = session.call(append("e", '{"a":1}'));
    session.now += 1000;
    const again = session.call(append("e", '{"a":2}'));
    expect(again.events).toEqual([]);
    expect(again.value).toEqual({ ...(first.value as object), lastUpdateTimeMs: startMs });
    expect(session.call(getSession(key, 0)).value.own).toEqual(new Map([["a", "1"]]));
  });

  it("writes nothing when it is only asked what would happen", () => {
    const session = drive();
    expect(session.call(create("{}", true))).toEqual({ value: "created", events: [] });
    session.call(create());
    expect(session.call(append("e", "{}", true))).toEqual({ value: "new", events: [] });
    expect(session.call(create("", true))).toEqual({ value: "exists", events: [] });
  });

  it("merges state as JavaScript would, and null removes a key (R65)", () => {
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 6 }), (changes) => {
        let merged: ReadonlyMap<string, string> = new Map();
        const wanted = new Map<string, unknown>();
        for (const change of changes) {
          merged = mergeState(merged, stateDelta("state", change, limits).own);
          for (const [name, value] of Object.entries(JSON.parse(change) as object)) {
            if (value === null) wanted.delete(name);
            else wanted.set(name, value);
          }
        }
        const parsed = new Map(Array.from(merged, ([name, text]) => [name, JSON.parse(text) as unknown]));
        assert.deepEqual(parsed, wanted);
      }),
    );
  });

  it("starts afresh after it was deleted, its events counting on", () => {
    const session = drive();
    session.call(create('{"a":1}'));
    session.call(append("e"));
    session.call(deleteSession);
    expect(session.call(getSession(key, 0)).value.found).toBe(false);
    expect(session.stored().entries).toEqual([]);
    session.call(create());
    session.call(append("e"));
    expect(session.call(getSession(key, 0)).value.session?.events).toHaveLength(1);
    expect(session.stored().entries.map((entry) => entry.seq)).toEqual([2]);
  });

  it("takes no more state than a payload may have", () => {
    const session = drive();
    session.call(create());
    const tight = { limits: { ...limits, payloadBytes: 10 } };
    expect(() => session.call(append("e", '{"a":"0123456789"}'), tight)).toThrow("session state is too large");
  });
});

describe("shared state", () => {
  const change = (value: string): ReadonlyMap<string, string> => new Map([["k", value]]);

  it("applies a change once, though others came between (R65)", () => {
    const shared = new RowDriver(sharedStateRules);
    shared.call(mergeShared("one", change("1")));
    for (let i = 0; i < 255; i += 1) shared.call(mergeShared(`other ${i}`, change("2")));
    expect(shared.call(mergeShared("one", change("1"))).events).toEqual([]);
    expect(shared.call(readShared).value).toEqual(change("2"));
    expect(reloaded(shared)).toEqual(plain(shared.state));
  });

  it("has no index keys and no entries", () => {
    const shared = new RowDriver(sharedStateRules);
    shared.call(mergeShared("one", change("1")));
    expect(sharedStateRules.indexKeys(shared.state, partitionOf(""))).toEqual([]);
    expect(shared.stored().entries).toEqual([]);
  });
});
