import type { CallRecord } from "../world/call-book.ts";
import type { ReadEntry } from "./journal-entry.ts";
import type { Complain } from "./run-entries.ts";
import type { EffectRecord, ObligationRecord, RunRecord } from "./run-record.ts";

/** Who says who it is settles only what it holds (R26, R27, R32). To be asked before the entry is applied. */
export function mustHoldClaim(
  run: RunRecord,
  { kind, meta, at }: ReadEntry,
  writer: CallRecord | undefined,
  complain: Complain,
): void {
  const claimer = writer?.claimer ?? "";
  if (claimer === "" || meta.transition === "duplicate") return;
  const claimed = kind.startsWith("effect/")
    ? run.effects.get(meta.idempotency_key)
    : kind.startsWith("obligation/")
      ? run.obligations.get(meta.obligation_seq)
      : undefined;
  if (claimed === undefined) return;
  const { claim } = claimed;
  // Without a name: it was claimed by an entry of this very commit.
  if (claim === null || (claim.by !== "" && claim.by !== claimer) || claim.until <= at) {
    complain("claim-is-exclusive", `${claimer} wrote ${kind} of what ${claim?.by ?? "nobody"} has claimed`);
  }
}

/** Attempts of an effect count one by one (R26). To be asked before the entry is applied. */
export function mustCountDispatch(effect: EffectRecord, { meta }: ReadEntry, complain: Complain): void {
  const { transition, dispatch_attempts: attempts = effect.attempts } = meta;
  if (attempts === effect.attempts + Number(transition === "attempted")) return;
  complain(
    "attempts-in-order",
    `effect ${effect.key} had ${effect.attempts} attempts, and after ${transition ?? "its beginning"} ${attempts}`,
  );
}

/** Nothing is claimed before it is due by the clock of the server that gives it (R24, R31). */
export function mustBeDue(name: string, dueAtMs: number, at: number, complain: Complain): void {
  if (dueAtMs > at) complain("attempts-in-order", `${name} was claimed ${dueAtMs - at} ms before it was due`);
}

/** Attempts of an obligation count one by one, and the last one makes it STUCK (R32). */
export function mustCountUndoing(
  { seq, attempts: before, maxAttempts }: ObligationRecord,
  { meta }: ReadEntry,
  complain: Complain,
): void {
  const { attempts, status, transition } = meta;
  const isAttempt = transition === "attempted";
  if (attempts !== before + Number(isAttempt)) {
    complain(
      "attempts-in-order",
      `obligation ${seq} had ${before} attempts, and after ${transition ?? ""} ${attempts}`,
    );
  }
  if (isAttempt && attempts >= maxAttempts && status !== "STUCK") {
    complain("attempts-in-order", `obligation ${seq} has had all its ${maxAttempts} attempts and is ${status}`);
  }
}
