import { indexPath, payloadsIndex, retireIndex, tickIndex, type Partition } from "../../codec/row-id.ts";
import { newestFirstKey, timeKey } from "../../codec/time-key.ts";
import type { IndexKey } from "../../model/row.ts";
import { allRunsIndex, statusIndex } from "./list-key.ts";
import { builtInTimers, dueObligations, hasEnded, isAtRest, type Effect, type Obligation, type Run } from "./run.ts";

/*
 * The keys by which others find a run. One key an index, for the earliest thing due: whoever scans looks at the run
 * for the rest. A key may come too early, never too late, so that no run is overlooked.
 */

/** How long the server waits for someone else to take a built-in timer (R46). */
export const timerGraceMs = 1000;

/** When an outbox effect may next be dispatched; `null` when not by anyone. */
export function dispatchDueMs(effect: Effect): number | null {
  if (effect.mode !== "OUTBOX" || effect.status !== "PENDING") return null;
  if (effect.claim === null) return effect.nextDispatchAtMs || effect.at;
  return effect.semantics === "NON_IDEMPOTENT" ? null : effect.claim.expiresAtMs;
}

/** When an obligation is due. One that is STUCK has been ever since it was registered: it waits for a human, not a time. */
export const obligationDueMs = (obligation: Obligation): number =>
  obligation.status === "STUCK" ? obligation.at : obligation.nextAttemptAtMs || obligation.at;

/** Whether an effect may have to be reconciled while it stays as it is (R28). */
export const awaitsReconciling = (effect: Effect): boolean =>
  effect.status === "UNKNOWN" || (effect.status === "PENDING" && effect.mode === "INLINE");

/**
 * Since when, or from when on, nobody knows whether an effect happened (R25); `null` while that cannot come about by
 * itself.
 */
export function unknownSinceMs(effect: Effect): number | null {
  if (effect.status === "UNKNOWN") return effect.unknownAtMs;
  if (effect.status !== "PENDING" || effect.claim === null || effect.semantics !== "NON_IDEMPOTENT") return null;
  return effect.claim.expiresAtMs;
}

/** Where a run is found that needs a human, by kind of need; the last one is where it would be recovered, too (R13). */
export const attentionIndexes = {
  EFFECT_UNKNOWN: "attention/effect",
  RUN_STUCK: "attention/run",
  OBLIGATION_STUCK: "attention/obligation",
  RUN_RECOVERABLE: "recover",
} as const;

class Earliest {
  readonly #times = new Map<string, number>();

  note(index: string, ms: number): void {
    const known = this.#times.get(index);
    if (known === undefined || ms < known) this.#times.set(index, ms);
  }

  keys(): IndexKey[] {
    const keys: IndexKey[] = [];
    for (const [index, ms] of this.#times) keys.push({ index, key: timeKey(ms) });
    return keys;
  }
}

/** The index keys a run should have. */
export function runIndexKeys(run: Run, partition: Partition): readonly IndexKey[] {
  if (run.seq === 0 || run.deletedAtMs > 0) return [];
  const earliest = new Earliest();
  const base = `${partition}/`;
  if (run.status === "RUNNABLE") earliest.note(`${base}recover`, run.runnableAtMs);
  else if (run.status === "RUNNING" && run.lease !== null) earliest.note(`${base}recover`, run.lease.expiresAtMs);
  // Also when nothing is open at the moment: see `reconcileSince` in effects.ts.
  if (run.reconcileSinceMs > 0) earliest.note(`${base}reconcile`, run.reconcileSinceMs);
  for (const key of run.openEffects) {
    const effect = run.effects.get(key);
    if (effect !== undefined) noteEffect(earliest, effect, base);
  }
  for (const obligation of dueObligations(run)) {
    earliest.note(`${base}compensate`, obligationDueMs(obligation));
  }
  for (const id of run.unfiredTimers) {
    const timer = run.timers.get(id);
    if (timer === undefined) continue;
    earliest.note(`${base}timer`, timer.fireAtMs);
    if (builtInTimers.has(timer.kind)) earliest.note(tickIndex, timer.fireAtMs + timerGraceMs);
  }
  noteAttention(earliest, run, base);
  const keys = earliest.keys();
  if (!hasEnded(run.status)) {
    keys.push({ index: base + run.liveIndex, key: newestFirstKey(run.facts.startedAtMs) });
  }
  const { listKey: key } = run;
  keys.push(
    { index: base + allRunsIndex, key },
    { index: base + run.appIndex, key },
    { index: base + statusIndex(run.status), key },
  );
  if (isAtRest(run)) keys.push(...atRestKeys(run, base));
  return keys;
}

/** What needs a human, by how long it has: one index for each kind. */
function noteAttention(earliest: Earliest, run: Run, base: string): void {
  if (run.status === "STUCK") earliest.note(base + attentionIndexes.RUN_STUCK, run.stuckAtMs);
  for (const seq of run.openObligations) {
    const obligation = run.obligations.get(seq);
    if (obligation?.status === "STUCK") earliest.note(base + attentionIndexes.OBLIGATION_STUCK, obligation.stuckAtMs);
  }
}

/** By these a run that is over and settled is found to be compacted (R75), and by retention to be deleted later. */
function atRestKeys(run: Run, base: string): readonly IndexKey[] {
  const key = timeKey(run.endedAtMs);
  if (run.compactedSeq === run.seq) return [{ index: retireIndex, key }];
  return [
    { index: `${base}compact`, key },
    { index: payloadsIndex, key },
  ];
}

function noteEffect(earliest: Earliest, effect: Effect, base: string): void {
  const due = dispatchDueMs(effect);
  if (due !== null) {
    earliest.note(`${base}dispatch`, due);
    earliest.note(base + indexPath("dispatch", effect.connector), due);
  }
  if (effect.claim !== null && effect.semantics === "NON_IDEMPOTENT" && effect.status === "PENDING") {
    // From the expiry on the effect is UNKNOWN: the server writes that down, and it is to be reconciled.
    earliest.note(tickIndex, effect.claim.expiresAtMs);
    earliest.note(`${base}reconcile`, effect.at);
  }
  const unknownAtMs = unknownSinceMs(effect);
  if (unknownAtMs !== null) earliest.note(base + attentionIndexes.EFFECT_UNKNOWN, unknownAtMs);
  if (awaitsReconciling(effect)) earliest.note(`${base}reconcile`, effect.at);
}
