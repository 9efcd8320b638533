import { describe, expect, it } from "vitest";
import { begin, beginKey, driveRun, runId, written } from "../../../test/journal/run-driver.ts";
import type { Saying } from "../../../test/journal/row-driver.ts";
import type { TapeErrorReason } from "../../errors.ts";
import type { EffectResolution } from "../../model/effect.ts";
import { defaultLimits as limits } from "../limits.ts";
import type { Decide } from "../row.ts";
import { claimEffectDispatch, recordDispatchAttempt, recordExternalObservation } from "./dispatch.ts";
import { completeEffect, getEffect, reconcileEffect } from "./effects.ts";
import type { RunEvent } from "./events.ts";
import { endRun } from "./lifecycle.ts";
import type { Effect, Run } from "./run.ts";

/*
 * What every command does to an effect in every situation (R23 to R28). A cell names what is written, or the reason of
 * the refusal; `=` is an answer that writes nothing. The caller is `me`; it says so where the command says "as me".
 */

/** Statuses of an effect that is acted inside its run. */
type Inline = "pending" | "confirmed" | "failed" | "unknown" | "stuck";
/** Statuses of an effect that a dispatcher acts, PENDING by its claim: none, none before later, mine, theirs, expired. */
type Outbox = Inline | "later" | "mine" | "theirs" | "expired";

type Command =
  | `Complete ${"CONFIRMED" | "FAILED" | "UNKNOWN"}`
  | "Claim by me"
  | "Claim by other"
  | `Attempt ${"retry" | "unknown"}${"" | ", as me"}`
  | `Observe ${"CONFIRMED" | "FAILED" | "ABSENT" | "DUPLICATE" | "STUCK"}`
  | "Observe CONFIRMED, as me"
  | `Reconcile ${"CONFIRMED" | "FAILED"}`;

type Expected = TapeErrorReason | "=" | Lowercase<string>;
type Table<Situation extends string> = Record<Command, Record<Situation, Expected>>;

const notAllowed = "TRANSITION_NOT_ALLOWED";
const notMine = "CLAIM_HELD";
const claimed = "effect/claimed, claim";
const final = { confirmed: "=", failed: "=" } as const;
const pending = (expected: Expected) =>
  ({ pending: expected, later: expected, mine: expected, theirs: expected, expired: expected }) as const;
const unsettled = (expected: Expected) =>
  ({ ...pending(expected), unknown: expected, stuck: expected, ...final }) as const;
const nowhere = <E extends Expected>(expected: E) =>
  ({ ...pending(expected), confirmed: expected, failed: expected, unknown: expected, stuck: expected }) as const;

/** IDEMPOTENT and OBSERVE_ONLY: the act may be repeated, so a claim that expires changes nothing (R25). */
// oxfmt-ignore
const repeatable: Table<Outbox> = {
  "Complete CONFIRMED": unsettled("effect/confirmed"),
  "Complete FAILED": unsettled("effect/failed"),
  "Complete UNKNOWN": { ...pending("effect/unknown"), unknown: "=", stuck: "=", ...final },
  "Claim by me": { ...nowhere("="), pending: claimed, mine: "claim", expired: claimed },
  "Claim by other": { ...nowhere("="), pending: claimed, expired: claimed },
  "Attempt retry": { ...nowhere(notAllowed), mine: "effect/pending", theirs: "effect/pending" },
  "Attempt retry, as me": { ...nowhere(notMine), mine: "effect/pending" },
  "Attempt unknown": { ...nowhere(notAllowed), mine: "effect/unknown", theirs: "effect/unknown" },
  "Attempt unknown, as me": { ...nowhere(notMine), mine: "effect/unknown" },
  "Observe CONFIRMED": unsettled("effect/confirmed"),
  "Observe CONFIRMED, as me": { ...nowhere(notMine), mine: "effect/confirmed", ...final },
  "Observe FAILED": unsettled("effect/failed"),
  "Observe ABSENT": unsettled("effect/observed"),
  "Observe DUPLICATE": unsettled("effect/confirmed, obligation/pending"),
  // The same once more says nothing new (R3).
  "Observe STUCK": { ...unsettled("effect/observed, run/stuck"), stuck: "=" },
  "Reconcile CONFIRMED": unsettled("effect/confirmed"),
  "Reconcile FAILED": unsettled("effect/failed"),
};

/** NON_IDEMPOTENT: whoever comes after a claim has expired first writes down that nobody knows (R25). */
// oxfmt-ignore
const once: Table<Outbox> = {
  "Complete CONFIRMED": { ...unsettled("effect/confirmed"), expired: "effect/unknown", unknown: "=", stuck: "=" },
  "Complete FAILED": { ...unsettled("effect/failed"), expired: "effect/unknown", unknown: "=", stuck: "=" },
  "Complete UNKNOWN": { ...pending("effect/unknown"), unknown: "=", stuck: "=", ...final },
  "Claim by me": { ...nowhere("="), pending: claimed, mine: "claim", expired: "effect/unknown" },
  "Claim by other": { ...nowhere("="), pending: claimed, expired: "effect/unknown" },
  "Attempt retry": { ...nowhere(notAllowed), mine: "effect/pending", theirs: "effect/pending" },
  "Attempt retry, as me": { ...nowhere(notMine), mine: "effect/pending" },
  "Attempt unknown": { ...nowhere(notAllowed), mine: "effect/unknown", theirs: "effect/unknown" },
  "Attempt unknown, as me": { ...nowhere(notMine), mine: "effect/unknown" },
  "Observe CONFIRMED": { ...unsettled("effect/confirmed"), expired: "effect/unknown, effect/confirmed" },
  "Observe CONFIRMED, as me": { ...nowhere(notMine), mine: "effect/confirmed", ...final },
  "Observe FAILED": { ...unsettled("effect/failed"), expired: "effect/unknown, effect/failed" },
  "Observe ABSENT": { ...unsettled("effect/failed"), expired: "effect/unknown, effect/failed" },
  "Observe DUPLICATE": {
    ...unsettled("effect/confirmed, obligation/pending"), expired: "effect/unknown, effect/confirmed, obligation/pending",
  },
  "Observe STUCK": {
    ...unsettled("effect/observed, run/stuck"), expired: "effect/unknown, effect/observed, run/stuck", stuck: "=",
  },
  "Reconcile CONFIRMED": { ...unsettled("effect/confirmed"), expired: "effect/unknown, effect/confirmed" },
  "Reconcile FAILED": { ...unsettled("effect/failed"), expired: "effect/unknown, effect/failed" },
};

const inlineOf = ({ pending: unclaimed, confirmed, failed, unknown, stuck }: Record<Inline, Expected>) =>
  ({ pending: unclaimed, confirmed, failed, unknown, stuck }) as const;

/** Acted inside the run: there is nothing to claim. */
const inline: Table<Inline> = {
  "Complete CONFIRMED": inlineOf(repeatable["Complete CONFIRMED"]),
  "Complete FAILED": inlineOf(repeatable["Complete FAILED"]),
  "Complete UNKNOWN": inlineOf(repeatable["Complete UNKNOWN"]),
  "Claim by me": inlineOf(nowhere("=")),
  "Claim by other": inlineOf(nowhere("=")),
  "Attempt retry": inlineOf(nowhere(notAllowed)),
  "Attempt retry, as me": inlineOf(nowhere(notMine)),
  "Attempt unknown": inlineOf(nowhere(notAllowed)),
  "Attempt unknown, as me": inlineOf(nowhere(notMine)),
  "Observe CONFIRMED": inlineOf(repeatable["Observe CONFIRMED"]),
  "Observe CONFIRMED, as me": inlineOf(repeatable["Observe CONFIRMED, as me"]),
  "Observe FAILED": inlineOf(repeatable["Observe FAILED"]),
  "Observe ABSENT": inlineOf(repeatable["Observe ABSENT"]),
  "Observe DUPLICATE": inlineOf(repeatable["Observe DUPLICATE"]),
  "Observe STUCK": inlineOf(repeatable["Observe STUCK"]),
  "Reconcile CONFIRMED": inlineOf(repeatable["Reconcile CONFIRMED"]),
  "Reconcile FAILED": inlineOf(repeatable["Reconcile FAILED"]),
};

const at = { runId, idempotencyKey: "k" } as const;
type Said = readonly [Decide<Run, RunEvent, unknown>, Saying?];
const asMe: Saying = { claimer: "me" };
const claim = (claimer: string): Decide<Run, RunEvent, unknown> => claimEffectDispatch({ ...at, claimer }, limits);
const attempt = (nextDispatchAtMs: number): Decide<Run, RunEvent, unknown> =>
  recordDispatchAttempt({ ...at, error: "busy", nextDispatchAtMs }, limits);
const complete = (status: "CONFIRMED" | "FAILED" | "UNKNOWN"): Decide<Run, RunEvent, unknown> =>
  completeEffect({ ...at, status }, limits);
const observe = (resolution: EffectResolution): Decide<Run, RunEvent, unknown> =>
  recordExternalObservation({ ...at, resolution, compensateOnDuplicateKind: "undo" }, limits);

const commands: Record<Command, Said> = {
  "Complete CONFIRMED": [complete("CONFIRMED")],
  "Complete FAILED": [complete("FAILED")],
  "Complete UNKNOWN": [complete("UNKNOWN")],
  "Claim by me": [claim("me")],
  "Claim by other": [claim("other")],
  "Attempt retry": [attempt(1)],
  "Attempt retry, as me": [attempt(1), asMe],
  "Attempt unknown": [attempt(0)],
  "Attempt unknown, as me": [attempt(0), asMe],
  "Observe CONFIRMED": [observe("CONFIRMED")],
  "Observe CONFIRMED, as me": [observe("CONFIRMED"), asMe],
  "Observe FAILED": [observe("FAILED")],
  "Observe ABSENT": [observe("ABSENT")],
  "Observe DUPLICATE": [observe("DUPLICATE")],
  "Observe STUCK": [observe("STUCK")],
  "Reconcile CONFIRMED": [reconcileEffect({ ...at, resolvedStatus: "CONFIRMED" }, limits)],
  "Reconcile FAILED": [reconcileEffect({ ...at, resolvedStatus: "FAILED" }, limits)],
};

/** A run whose effect `k` is in the situation. */
function runIn(semantics: Effect["semantics"], mode: Effect["mode"], situation: Outbox): ReturnType<typeof driveRun> {
  const run = driveRun();
  run.call(begin());
  run.call(beginKey("k", { semantics, dispatchMode: mode }));
  switch (situation) {
    case "pending":
      break;
    case "later":
      run.call(claim("me"));
      run.call(attempt(run.now + 60_000));
      break;
    case "mine":
      run.call(claim("me"));
      break;
    case "theirs":
      run.call(claim("them"));
      break;
    case "expired":
      run.call(claim("me"));
      run.now += 60_000;
      break;
    case "confirmed":
      run.call(complete("CONFIRMED"));
      break;
    case "failed":
      run.call(complete("FAILED"));
      break;
    case "unknown":
      run.call(complete("UNKNOWN"));
      break;
    case "stuck":
      run.call(observe("STUCK"));
      break;
    default:
      situation satisfies never;
  }
  return run;
}

/** Every kind of effect that there is (R21), with its table. */
const kinds: readonly (readonly [Effect["semantics"], Effect["mode"], Table<Inline> | Table<Outbox>])[] = [
  ["IDEMPOTENT", "INLINE", inline],
  ["OBSERVE_ONLY", "INLINE", inline],
  ["IDEMPOTENT", "OUTBOX", repeatable],
  ["OBSERVE_ONLY", "OUTBOX", repeatable],
  ["NON_IDEMPOTENT", "OUTBOX", once],
];

describe.each(kinds)("transitions of an effect that is %s, %s", (semantics, mode, table) => {
  const cells = Object.entries(table).flatMap(([command, row]: [string, Record<string, Expected>]) =>
    Object.entries(row).map(([situation, expected]) => [command as Command, situation as Outbox, expected] as const),
  );

  it.each(cells)("%s, when it is %s: %s", (command, situation, expected) => {
    const run = runIn(semantics, mode, situation);
    const before = run.would(getEffect(at, limits), run.now)?.value.effect;
    expect(written(run, ...commands[command])).toBe(expected);
    const after = run.would(getEffect(at, limits), run.now)?.value.effect;
    const writesNothing = expected === "=" || expected === expected.toUpperCase();
    expect(writesNothing ? after : before).toEqual(before);
    const isSettled = situation === "confirmed" || situation === "failed";
    expect(isSettled ? after?.status : situation.toUpperCase()).toBe(situation.toUpperCase());
  });
});

describe("transitions of an effect", () => {
  it("have no kind that is NON_IDEMPOTENT and INLINE (R21)", () => {
    expect(() => beginKey("k", { semantics: "NON_IDEMPOTENT", dispatchMode: "INLINE" })).toThrow("OUTBOX");
  });

  it("make an effect due now that was absent and may be repeated (R27)", () => {
    const run = runIn("IDEMPOTENT", "OUTBOX", "unknown");
    run.now += 5000;
    run.call(observe("ABSENT"));
    expect(run.state.effects.get("k")).toMatchObject({ status: "PENDING", nextDispatchAtMs: run.now, claim: null });
    expect(written(run, claim("other"))).toBe(claimed);
  });

  it("count attempts and keep what was said of the last one (R26)", () => {
    const run = runIn("IDEMPOTENT", "OUTBOX", "mine");
    const next = run.now + 1000;
    run.call(attempt(next), asMe);
    const recorded = { status: "PENDING", attempts: 1, lastError: "busy", nextDispatchAtMs: next, claim: null };
    expect(run.state.effects.get("k")).toMatchObject(recorded);
    expect(written(run, claim("other"))).toBe("=");
    run.now = next;
    expect(written(run, claim("other"))).toBe(claimed);
    run.call(attempt(0), { claimer: "other" });
    expect(run.state.effects.get("k")).toMatchObject({ status: "UNKNOWN", attempts: 2, nextDispatchAtMs: 0 });
  });

  it("do not change a run that has ended (R27)", () => {
    const run = runIn("NON_IDEMPOTENT", "OUTBOX", "unknown");
    run.call(endRun({ runId, status: "FAILED" }, limits));
    expect(written(run, observe("STUCK"))).toBe("effect/observed");
  });
});
