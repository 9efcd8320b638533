import { shortHash } from "../../codec/hash.ts";
import type { Seq } from "../../model/row.ts";
import { absentRun, type ObligationTerms, type Run } from "./run.ts";

/* What becomes of a run's state when payloads, or all of it, are removed. */

/** Lays the terms of obligations over what their bodies do not say any more. */
export function setTerms(run: Run, terms: ReadonlyMap<Seq, ObligationTerms>): void {
  for (const [seq, each] of terms) {
    const obligation = run.obligations.get(seq);
    if (obligation !== undefined) obligation.terms = each;
  }
}

/** How a deleted run remembers a business key: enough to know it again, not enough to read it. */
export const businessKeyHash = (ref: string): string => shortHash(ref);

/**
 * Forgets a run but for its outcome and the business keys that are its own for ever. Its row has to stay, since the
 * run's identity gives its id: were the row gone, the same BeginRun would act anew.
 */
export function forgetRun(run: Run, deletedAtMs: number, ownedKeys: readonly string[]): void {
  const { seq, status, endedAtMs, epoch } = run;
  const nothing = absentRun();
  const facts = { ...nothing.facts, runId: run.facts.runId };
  Object.assign(run, nothing, { seq, status, endedAtMs, epoch, facts, deletedAtMs, ownedKeys: new Set(ownedKeys) });
}
