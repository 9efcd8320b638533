import type { EffectRecord } from "../../model/effect.ts";
import type { ObligationRecord } from "../../model/obligation.ts";
import type { RunState } from "../../model/run.ts";
import type { TimerRecord } from "../../model/timer.ts";
import type { Seq } from "../../model/row.ts";
import { accept, type BodyLookup, type Context, type Decide, type Outcome } from "../row.ts";
import type { RunEvent } from "./events.ts";
import { awaitsReconciling, dispatchDueMs, obligationDueMs } from "./index-keys.ts";
import { dueObligations, effectStatusAt, isAtRest, liveClaim, type Effect, type Run } from "./run.ts";
import { dueTimers } from "./timers.ts";
import { effectBodies, effectView, obligationBodies, obligationView, runView, timerView } from "./views.ts";

/* What one run contributes to the lists over all runs. */

/** An item of a list, without the payloads that are shown with it. */
export interface Due<T> {
  /** The time by which the list is ordered. */
  readonly dueMs: number;
  /** Entries whose bodies the view needs. */
  readonly seqs: readonly Seq[];
  readonly view: (bodies: BodyLookup) => T;
  /** Bodies that are at hand. */
  readonly kept: BodyLookup;
}

/** Tells what a run has for a list, at most about `limit` items, earliest first. */
export type ListDue<T> = Decide<Run, RunEvent, readonly Due<T>[]>;

type Part<T> = Omit<Due<T>, "kept">;

function answer<T>(
  parts: readonly Part<T>[],
  limit: number,
  { bodies: kept }: Pick<Context, "bodies">,
): Outcome<RunEvent, readonly Due<T>[]> {
  const first = parts.toSorted((a, b) => a.dueMs - b.dueMs).slice(0, limit);
  return accept(
    [],
    first.map((part) => ({ ...part, kept })),
  );
}

/** An item that has no payloads. */
const whole = <T>(dueMs: number, item: T): Part<T> => ({ dueMs, seqs: [], view: () => item });

const openEffects = (run: Run): Effect[] => [...run.openEffects].flatMap((key) => run.effects.get(key) ?? []);

/** Since when, or from when on, a run may be recovered; `Infinity` when nothing leads there (R13). */
export function recoverableSinceMs(run: Run): number {
  if (run.status === "RUNNABLE") return run.runnableAtMs;
  return run.status === "RUNNING" ? (run.lease?.expiresAtMs ?? 0) : Infinity;
}

/** For ListRunsToRecover (R13). */
export const recoverable =
  (now: number): ListDue<RunState> =>
  (run, context) => {
    const dueMs = recoverableSinceMs(run);
    return answer(run.seq > 0 && dueMs <= now ? [whole(dueMs, runView(run))] : [], 1, context);
  };

/** For ListCompactableRuns (R75). */
export const compactable =
  (untilMs: number): ListDue<RunState> =>
  (run, context) => {
    const isDue = run.endedAtMs <= untilMs && isAtRest(run) && run.compactedSeq < run.seq;
    return answer(isDue ? [whole(run.endedAtMs, runView(run))] : [], 1, context);
  };

/** For ListEffectsToDispatch (R24); empty `connector`: any. */
export const dispatchable =
  (connector: string, limit: number, now: number): ListDue<EffectRecord> =>
  (run, context) => {
    const parts = openEffects(run).flatMap((effect): Part<EffectRecord>[] => {
      const dueMs = dispatchDueMs(effect);
      if (dueMs === null || dueMs > now || (connector !== "" && effect.connector !== connector)) return [];
      return [{ dueMs, seqs: effectBodies(effect), view: effectView(run, effect, now) }];
    });
    return answer(parts, limit, context);
  };

/** For ListPendingEffects (R28). */
export const pending =
  (
    wanted: { readonly pending: boolean; readonly unknown: boolean; readonly olderThanMs: number },
    limit: number,
  ): ListDue<EffectRecord> =>
  (run, context) => {
    const { now } = context;
    const parts = openEffects(run).flatMap((effect): Part<EffectRecord>[] => {
      const isUnknown = effectStatusAt(effect, now) === "UNKNOWN";
      const isOld = effect.mode === "INLINE" && !isUnknown && effect.at <= now - wanted.olderThanMs;
      if (!(isUnknown ? wanted.unknown : wanted.pending && isOld)) return [];
      return [{ dueMs: effect.at, seqs: effectBodies(effect), view: effectView(run, effect, now) }];
    });
    return answer(parts, limit, context);
  };

/** A run whose place in the reconcile list is this stale gets a better one from whoever scans. */
const staleReconcileMs = 60_000;

/** Moves a run to its right place in the reconcile list when it has been in a wrong one for long. */
export const tidyReconcile: Decide<Run, RunEvent, null> = (run, { now }) => {
  const since = run.reconcileSinceMs;
  const waiting = openEffects(run).filter((effect) => awaitsReconciling(effect));
  const oldest = waiting.reduce((ms, effect) => Math.min(ms, effect.at), Infinity);
  if (since === 0 || now - since < staleReconcileMs || oldest <= since) return accept([], null);
  return accept([{ kind: "head/reconcile-since", ms: oldest === Infinity ? 0 : oldest }], null);
};

/** Which obligations a list wants (R33). */
export interface WantedObligations {
  readonly pending: boolean;
  readonly stuck: boolean;
  readonly committedExpired: boolean;
}

/** For ListUnresolvedObligations (R33). */
export const unresolved =
  (wanted: WantedObligations, limit: number, now: number): ListDue<ObligationRecord> =>
  (run, context) => {
    const parts = dueObligations(run).flatMap((obligation): Part<ObligationRecord>[] => {
      const dueMs = obligationDueMs(obligation);
      const { status } = obligation;
      const isWanted =
        (status === "STUCK" && wanted.stuck) ||
        (status === "PENDING" && wanted.pending && dueMs <= now) ||
        (status === "COMMITTED" && wanted.committedExpired && liveClaim(obligation.claim, now) === null);
      if (!isWanted) return [];
      return [{ dueMs, seqs: obligationBodies(obligation), view: obligationView(run, obligation, now) }];
    });
    return answer(parts, limit, context);
  };

/** For ListDueTimers without `claim` (R46). */
export const fireable =
  (limit: number, now: number): ListDue<TimerRecord> =>
  (run, context) => {
    const { runId } = run.facts;
    const parts = dueTimers(run, now).map((timer) => ({
      dueMs: timer.fireAtMs,
      seqs: [timer.seq],
      view: (bodies: BodyLookup) => timerView(runId, timer, bodies),
    }));
    return answer(parts, limit, context);
  };
