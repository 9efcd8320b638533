import type { Meta, ReadEntry } from "./journal-entry.ts";
import type { Complain } from "./run-entries.ts";
import type { RunHead, RunRecord } from "./run-record.ts";

/** The scope that every simulated run is granted. */
export const grantedScope = "pay";

/** What is in the way of a run that takes this status (R11, R13). To be asked before the entry is applied. */
export function mayBecome(run: RunRecord, { meta, at }: ReadEntry, complain: Complain): void {
  const wrong = (why: string): void => {
    complain("run-table", `the run was ${run.status} and became ${meta.status} though ${why}`);
  };
  if (meta.status === "TERMINAL") {
    for (const { key, status, semantics, claim } of run.effects.values()) {
      const isLost = status === "PENDING" && semantics === "NON_IDEMPOTENT" && claim !== null && claim.until <= at;
      if (status === "UNKNOWN" || isLost) wrong(`nobody knows what became of ${key}`);
    }
  }
  if (run.status !== "STUCK" || meta.status !== "RUNNING") return;
  for (const { seq, status } of run.obligations.values()) {
    if (status === "STUCK") wrong(`obligation ${seq} is STUCK`);
  }
  for (const { key, isStuck } of run.effects.values()) if (isStuck) wrong(`effect ${key} is STUCK`);
}

/** A NON_IDEMPOTENT effect needs a scope that the run was granted (R21). */
export function mustBeGranted({ semantics, scope, idempotency_key: key }: Meta, complain: Complain): void {
  if (semantics !== "NON_IDEMPOTENT" || scope === grantedScope) return;
  complain("run-table", `effect ${key} was begun with scope ${scope}, which the run was not granted`);
}

/** Only a run that is being driven has a lease, and only what a run waits for lets it go on (R13, R41, R46). */
export function mustStandRight(
  before: RunHead | null,
  { lease, status }: RunHead,
  entries: readonly ReadEntry[],
  complain: Complain,
): void {
  if (lease !== null && status !== "RUNNING")
    complain("run-table", `the run is ${status}, and leased to ${lease.owner}`);
  const waiting = before?.waiting ?? null;
  if (waiting === null || status !== "RUNNABLE") return;
  const isAnswered = entries.some(
    ({ kind, meta }) =>
      (kind === "gate/released" && meta.gate === waiting.gate && meta.occurrence === waiting.occurrence) ||
      (kind === "timer/fired" && meta.kind === "redrive") ||
      kind.startsWith("run/"),
  );
  if (!isAnswered) {
    complain("run-table", `the run waited at ${waiting.gate} for the ${waiting.occurrence}. time, and goes on without`);
  }
}
