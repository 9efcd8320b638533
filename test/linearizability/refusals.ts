import { TapeError, type TapeErrorReason } from "../../src/errors.ts";
import type { Answer } from "./history.ts";

/** Refusals that the rules have, and what of their detail a model knows. */
const refusals: { readonly [Reason in TapeErrorReason]?: Readonly<Record<string, string>> } = {
  RUN_NOT_FOUND: {},
  EFFECT_NOT_FOUND: {},
  EFFECT_NOT_BEGUN: {},
  RUN_ENDED: { status: "status" },
  TRANSITION_NOT_ALLOWED: { status: "status" },
  LEASE_HELD: { holder: "holder", lease_expires_at_ms: "expiresAtMs" },
  EPOCH_STALE: { current_epoch: "epoch", holder: "holder" },
  CLAIM_HELD: { holder: "holder" },
  VERSION_MISMATCH: { current_version: "version" },
};
const numbers: ReadonlySet<string> = new Set(["expiresAtMs", "epoch", "version"]);

/**
 * The answer that a refusal is; `undefined` for an error after which nobody knows whether the call has happened. Throws what
 * is neither.
 */
export function refusal(error: unknown): Answer | undefined {
  if (!(error instanceof TapeError)) throw error;
  const details = refusals[error.reason];
  if (details !== undefined) {
    const fields = Object.entries(details).map(([id, field]): [string, string | number] => {
      const text = error.ids[id] ?? "";
      return [field, numbers.has(field) ? Number(text) : text];
    });
    return { refused: error.reason, ...Object.fromEntries(fields) };
  }
  if (error.retryable || error.code === "DEADLINE_EXCEEDED" || error.code === "CANCELLED") return undefined;
  throw error;
}
