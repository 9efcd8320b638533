import { complete, decodeHead, isEmptyHead } from "../../codec/head.ts";
import { TapeError } from "../../errors.ts";
import type { PastEntry } from "../row.ts";
import { evolvePast } from "./evolve.ts";
import { factsOf, runHeadFormat, setFacts, type FactsHead } from "./facts.ts";
import { forgetRun, setTerms } from "./removal.ts";
import { absentRun, type Claim, type ObligationTerms, type Run, type Status } from "./run.ts";

/*
 * The head of a run, format 2: what is open and changes. Names are those of the wire where there is one, so that
 * people and SQL views can read it. Money is in micro-dollars. Format 1 counted no payloads and knew no compaction.
 */

interface ClaimHead {
  readonly claimed_by: string;
  readonly claim_expires_at_ms: number;
}

interface RunHead extends FactsHead {
  readonly format: number;
  readonly kind: "run";
  readonly seq: number;
  readonly status: Status;
  readonly ended_at_ms: number;
  readonly epoch: number;
  readonly lease: { readonly owner: string; readonly expires_at_ms: number } | null;
  readonly waiting: { readonly gate: string; readonly occurrence: number } | null;
  readonly runnable_at_ms: number;
  readonly budget: {
    readonly usd_cap: number;
    readonly token_cap: number;
    readonly usd_spent: number;
    readonly tokens_spent: number;
  };
  readonly requests: readonly string[];
  readonly reconcile_since_ms: number;
  readonly effects: readonly (Partial<ClaimHead> & { readonly key: string; readonly status: string })[];
  readonly obligations: readonly (ClaimHead & { readonly seq: number })[];
  readonly timers: readonly { readonly id: string; readonly fire_at_ms: number }[];
  readonly payload_bytes?: number;
  /** Absent: the bodies of all entries are there (R75). */
  readonly compacted?: { readonly seq: number; readonly obligations: readonly TermsHead[] };
}

interface TermsHead {
  readonly seq: number;
  readonly compensator_ref: string;
  readonly max_attempts: number;
}

/** What is left of a run that was deleted. Of another kind, so that nobody who asks for runs finds it. */
interface DeletedRunHead {
  readonly format: number;
  readonly kind: "deleted-run";
  readonly run_id: string;
  readonly seq: number;
  readonly status: Status;
  readonly ended_at_ms: number;
  readonly epoch: number;
  readonly deleted_at_ms: number;
  readonly business_keys: readonly string[];
}

/** Encodes the head of a run. */
export function encodeRunHead(run: Run): string {
  if (run.deletedAtMs > 0) return encodeDeletedRun(run);
  const { budget, lease, waiting } = run;
  const changing: Omit<RunHead, keyof FactsHead | "format" | "kind"> = {
    seq: run.seq,
    status: run.status,
    ended_at_ms: run.endedAtMs,
    epoch: run.epoch,
    lease: lease === null ? null : { owner: lease.owner, expires_at_ms: lease.expiresAtMs },
    waiting,
    runnable_at_ms: run.runnableAtMs,
    budget: {
      usd_cap: budget.usdCap,
      token_cap: budget.tokenCap,
      usd_spent: budget.usdSpent,
      tokens_spent: budget.tokensSpent,
    },
    requests: run.requests,
    reconcile_since_ms: run.reconcileSinceMs,
    effects: [...run.openEffects].map((key) => {
      const effect = run.effects.get(key);
      return { key, status: effect?.status ?? "PENDING", ...(effect?.claim ? claimHead(effect.claim) : {}) };
    }),
    obligations: [...run.openObligations].flatMap((seq) => {
      const claim = run.obligations.get(seq)?.claim;
      return claim ? [{ seq, ...claimHead(claim) }] : [];
    }),
    timers: [...run.unfiredTimers].map((id) => ({ id, fire_at_ms: run.timers.get(id)?.fireAtMs ?? 0 })),
    payload_bytes: run.payloadBytes,
    ...(run.compactedSeq === 0 ? {} : { compacted: { seq: run.compactedSeq, obligations: termsHead(run) } }),
  };
  return `{${run.factsText},${JSON.stringify(changing).slice(1)}`;
}

function encodeDeletedRun(run: Run): string {
  const head: DeletedRunHead = {
    format: runHeadFormat,
    kind: "deleted-run",
    run_id: run.facts.runId,
    seq: run.seq,
    status: run.status,
    ended_at_ms: run.endedAtMs,
    epoch: run.epoch,
    deleted_at_ms: run.deletedAtMs,
    business_keys: [...run.ownedKeys],
  };
  return JSON.stringify(head);
}

const termsHead = (run: Run): readonly TermsHead[] =>
  [...run.obligations.values()].flatMap(({ seq, terms }) =>
    terms === null ? [] : [{ seq, compensator_ref: terms.compensatorRef, max_attempts: terms.maxAttempts }],
  );

const claimHead = (claim: Claim): ClaimHead => ({ claimed_by: claim.by, claim_expires_at_ms: claim.expiresAtMs });

/** What the head alone says of a run: enough for {@link runView}. Errors: STORE_CORRUPT. */
export function runOfHead(bytes: Uint8Array, row: string): Run {
  const run = absentRun();
  try {
    if (!isEmptyHead(bytes)) restoreRun(run, bytes, [], row);
  } catch (cause) {
    if (cause instanceof TapeError) throw cause;
    throw new TapeError(
      "STORE_CORRUPT",
      `head of row ${row} cannot be read: it is damaged; restore the store from a backup`,
      { cause },
    );
  }
  return run;
}

/** Brings a run up to a stored head: folds the entries it has not seen, then lays over what the head alone knows. */
export function restoreRun(run: Run, bytes: Uint8Array, entries: readonly PastEntry[], row: string): void {
  const head = decodeHead<RunHead | DeletedRunHead>(bytes, runHeadFormat, row, ["run", "deleted-run"]);
  if (head.kind === "deleted-run") {
    restoreDeletedRun(run, head);
    return;
  }
  for (const entry of entries) evolvePast(run, entry);
  setFacts(run, complete(factsOf(head)));
  run.seq = head.seq;
  run.status = head.status;
  run.endedAtMs = head.ended_at_ms;
  run.epoch = head.epoch;
  run.lease = head.lease === null ? null : { owner: head.lease.owner, expiresAtMs: head.lease.expires_at_ms };
  run.waiting = head.waiting;
  run.runnableAtMs = head.runnable_at_ms;
  run.budget = {
    usdCap: head.budget.usd_cap,
    tokenCap: head.budget.token_cap,
    usdSpent: head.budget.usd_spent,
    tokensSpent: head.budget.tokens_spent,
  };
  run.requests = head.requests;
  run.reconcileSinceMs = head.reconcile_since_ms;
  run.payloadBytes = head.payload_bytes ?? 0;
  run.compactedSeq = head.compacted?.seq ?? 0;
  setTerms(run, termsOf(head.compacted?.obligations ?? []));
  for (const { key, claimed_by, claim_expires_at_ms } of head.effects) {
    const effect = run.effects.get(key);
    if (effect !== undefined) {
      effect.claim =
        claimed_by === undefined || claim_expires_at_ms === undefined
          ? null
          : { by: claimed_by, expiresAtMs: claim_expires_at_ms };
    }
  }
  const claims = new Map(head.obligations.map((claim) => [claim.seq, claim]));
  for (const seq of run.openObligations) {
    const obligation = run.obligations.get(seq);
    const claim = claims.get(seq);
    if (obligation !== undefined) {
      obligation.claim = claim === undefined ? null : { by: claim.claimed_by, expiresAtMs: claim.claim_expires_at_ms };
    }
  }
}

const termsOf = (terms: readonly TermsHead[]): ReadonlyMap<number, ObligationTerms> =>
  new Map(terms.map((each) => [each.seq, { compensatorRef: each.compensator_ref, maxAttempts: each.max_attempts }]));

function restoreDeletedRun(run: Run, head: DeletedRunHead): void {
  run.seq = head.seq;
  run.status = head.status;
  run.endedAtMs = head.ended_at_ms;
  run.epoch = head.epoch;
  run.facts = { ...run.facts, runId: head.run_id };
  forgetRun(run, head.deleted_at_ms, head.business_keys);
}
