import type { EffectRecord } from "../../model/effect.ts";
import type { ObligationRecord } from "../../model/obligation.ts";
import type { RunState } from "../../model/run.ts";
import type { TimerRecord } from "../../model/timer.ts";
import type { Seq } from "../../model/row.ts";
import { accept, acceptReading, type BodyLookup, type Decide, type Outcome } from "../row.ts";
import type { RunEvent } from "./events.ts";
import { awaitsReconciling, dispatchDueMs, obligationDueMs } from "./index-keys.ts";
import { dueObligations, effectStatusAt, isAtRest, liveClaim, type Effect, type Run } from "./run.ts";
import { dueTimers } from "./timers.ts";
import { effectBodies, effectView, obligationBodies, obligationView, runView, timerView } from "./views.ts";

/* What one run contributes to the lists over all runs. */

/** An item of a list, with the time by which the list is ordered. */
export interface Due<T> {
  readonly dueMs: number;
  readonly item: T;
}

/** Tells what a run has for a list, at most about `limit` items, earliest first. */
export type ListDue<T> = Decide<Run, RunEvent, readonly Due<T>[]>;

interface Part<T> {
  readonly dueMs: number;
  readonly seqs: readonly Seq[];
  readonly view: (bodies: BodyLookup) => T;
}

function answer<T>(parts: readonly Part<T>[], limit: number): Outcome<RunEvent, readonly Due<T>[]> {
  const first = parts.toSorted((a, b) => a.dueMs - b.dueMs).slice(0, limit);
  return acceptReading(
    [],
    first.flatMap((part) => part.seqs),
    (bodies) => first.map((part) => ({ dueMs: part.dueMs, item: part.view(bodies) })),
  );
}

const openEffects = (run: Run): Effect[] => [...run.openEffects].flatMap((key) => run.effects.get(key) ?? []);

/** Since when, or from when on, a run may be recovered; `Infinity` when nothing leads there (R13). */
export function recoverableSinceMs(run: Run): number {
  if (run.status === "RUNNABLE") return run.runnableAtMs;
  return run.status === "RUNNING" ? (run.lease?.expiresAtMs ?? 0) : Infinity;
}

/** For ListRunsToRecover (R13). */
export const recoverable =
  (now: number): ListDue<RunState> =>
  (run) => {
    const dueMs = recoverableSinceMs(run);
    return accept([], run.seq > 0 && dueMs <= now ? [{ dueMs, item: runView(run) }] : []);
  };

/** For ListCompactableRuns (R75). */
export const compactable =
  (untilMs: number): ListDue<RunState> =>
  (run) => {
    const isDue = run.endedAtMs <= untilMs && isAtRest(run) && run.compactedSeq < run.seq;
    return accept([], isDue ? [{ dueMs: run.endedAtMs, item: runView(run) }] : []);
  };

/** For ListEffectsToDispatch (R24); empty `connector`: any. */
export const dispatchable =
  (connector: string, limit: number, now: number): ListDue<EffectRecord> =>
  (run) => {
    const parts = openEffects(run).flatMap((effect): Part<EffectRecord>[] => {
      const dueMs = dispatchDueMs(effect);
      if (dueMs === null || dueMs > now || (connector !== "" && effect.connector !== connector)) return [];
      return [{ dueMs, seqs: effectBodies(effect), view: effectView(run, effect, now) }];
    });
    return answer(parts, limit);
  };

/** For ListPendingEffects (R28). */
export const pending =
  (
    wanted: { readonly pending: boolean; readonly unknown: boolean; readonly olderThanMs: number },
    limit: number,
  ): ListDue<EffectRecord> =>
  (run, { now }) => {
    const parts = openEffects(run).flatMap((effect): Part<EffectRecord>[] => {
      const isUnknown = effectStatusAt(effect, now) === "UNKNOWN";
      const isOld = effect.mode === "INLINE" && !isUnknown && effect.at <= now - wanted.olderThanMs;
      if (!(isUnknown ? wanted.unknown : wanted.pending && isOld)) return [];
      return [{ dueMs: effect.at, seqs: effectBodies(effect), view: effectView(run, effect, now) }];
    });
    return answer(parts, limit);
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
  (run) => {
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
    return answer(parts, limit);
  };

/** For ListDueTimers without `claim` (R46). */
export const fireable =
  (limit: number, now: number): ListDue<TimerRecord> =>
  (run) => {
    const { runId } = run.facts;
    const parts = dueTimers(run, now).map((timer) => ({
      dueMs: timer.fireAtMs,
      seqs: [timer.seq],
      view: (bodies: BodyLookup) => timerView(runId, timer, bodies),
    }));
    return answer(parts, limit);
  };
