import type { CallRecord } from "../world/call-book.ts";
import type { ReadEntry } from "./journal-entry.ts";
import { claimMs, type Complain } from "./run-entries.ts";
import { mustStandRight } from "./run-rules.ts";
import { isOver, type Claim, type RunHead, type RunRecord } from "./run-record.ts";

/** How long leases last in simulated worlds, in milliseconds: everybody asks for the same. */
export const leaseMs = 10_000;

/** Compares a new head with the one before and with the entries, and lays it over what they said. */
export function applyHead(
  run: RunRecord,
  head: RunHead,
  entries: readonly ReadEntry[],
  writers: readonly (CallRecord | undefined)[],
  complain: Complain,
): void {
  const before = run.head;
  if (head.seq !== run.seq) complain("row-equals-memory", `the head counts ${head.seq} entries, there are ${run.seq}`);
  const spent = run.charges.reduce((total, tokens) => total + tokens, 0);
  if (head.budget.tokens_spent !== spent) {
    complain("charged-once", `the head has ${head.budget.tokens_spent} tokens spent, the charges add up to ${spent}`);
  }
  if (before !== null && isOver(before.status) && head.status !== before.status) {
    complain("run-table", `the run was ${before.status} and became ${head.status}`);
  }
  mustStandRight(before, head, entries, complain);
  mayHoldLease(run, head, entries, complain);
  for (const writer of writers) mayWrite(before?.epoch ?? 0, head.epoch, writer, complain);
  layOver(run, head, complain);
}

/** Of two owners, the later one came when the lease of the earlier one was over, and got an epoch of its own. */
function mayHoldLease(run: RunRecord, head: RunHead, entries: readonly ReadEntry[], complain: Complain): void {
  const before = run.head;
  const { lease, epoch } = head;
  if (before !== null && epoch < before.epoch) complain("lease-is-exclusive", `epoch ${epoch} after ${before.epoch}`);
  if (lease === null) return;
  const known = run.epochs.get(epoch);
  if (known !== undefined && known !== lease.owner) {
    complain("lease-is-exclusive", `epoch ${epoch} belonged to ${known}, now to ${lease.owner}`);
  }
  run.epochs.set(epoch, lease.owner);
  const held = before?.lease ?? null;
  const wasGivenUp = entries.some(
    ({ kind }) => kind.startsWith("run/") || kind.startsWith("gate/") || kind === "timer/fired",
  );
  if (held === null || wasGivenUp) return;
  const takenAt = lease.expires_at_ms - leaseMs;
  if (held.owner === lease.owner) {
    const isRenewed = held.expires_at_ms > takenAt && epoch !== before?.epoch;
    if (isRenewed) complain("lease-is-exclusive", `${lease.owner} renewed its lease and has epoch ${epoch} by that`);
    return;
  }
  if (held.expires_at_ms > takenAt) {
    complain("lease-is-exclusive", `${lease.owner} took the lease while ${held.owner} held it`);
  }
}

/** Whoever believes in an epoch that is over writes nothing. */
function mayWrite(before: number, after: number, writer: CallRecord | undefined, complain: Complain): void {
  const { leaseEpoch, caller = "", method = "" } = writer ?? {};
  if (leaseEpoch !== undefined && (leaseEpoch < before || leaseEpoch > after)) {
    complain("one-epoch-writes", `${caller} wrote by ${method} with epoch ${leaseEpoch}, the run is at ${before}`);
  }
}

function layOver(run: RunRecord, head: RunHead, complain: Complain): void {
  run.head = head;
  run.status = head.status;
  run.statuses.add(head.status);
  for (const { key, claimed_by, claim_expires_at_ms } of head.effects) {
    const effect = run.effects.get(key);
    if (effect === undefined) continue;
    if (claimed_by === undefined || claim_expires_at_ms === undefined) effect.claim = null;
    else layClaimOver(run, effect, key, { by: claimed_by, until: claim_expires_at_ms }, complain);
  }
  for (const { seq, claimed_by, claim_expires_at_ms } of head.obligations) {
    const obligation = run.obligations.get(seq);
    const claim = { by: claimed_by, until: claim_expires_at_ms };
    if (obligation !== undefined) layClaimOver(run, obligation, String(seq), claim, complain);
  }
}

/** A claim that changes hands in the head alone, while the one before lives, was taken from its holder. */
function layClaimOver(
  run: RunRecord,
  claimed: { claim: Claim | null },
  name: string,
  claim: Claim,
  complain: Complain,
): void {
  const before = claimed.claim;
  const takenAt = claim.until - claimMs;
  // Without a name: it was claimed by an entry of this very commit.
  if (before !== null && before.by !== "" && before.by !== claim.by && before.until > takenAt) {
    complain("claim-is-exclusive", `${name} was claimed by ${claim.by} while ${before.by} held it`);
  }
  claimed.claim = claim;
  run.claims.add(`${name} ${claim.by}`);
}
