import { decodeBody } from "../../../src/codec/body.ts";
import type { Entry } from "../../../src/store/store.ts";

/** An entry with its texts unpacked. */
export interface ReadEntry {
  readonly kind: string;
  readonly seq: number;
  readonly at: number;
  readonly meta: Meta;
  readonly body: readonly string[];
}

/** The fields of `payload_json` that are looked at (R52). */
export interface Meta {
  readonly status: string;
  readonly decision_index: number;
  readonly idempotency_key: string;
  readonly semantics: string;
  readonly dispatch_mode: string;
  readonly connector: string;
  readonly scope: string;
  readonly tool: string;
  readonly required_scope: string;
  readonly business_key: string;
  readonly claimer?: string;
  readonly next_dispatch_at_ms?: number;
  readonly dispatch_attempts?: number;
  readonly external_ref?: string;
  readonly resolution?: string;
  readonly attempts: number;
  readonly transition?: string;
  readonly obligation_seq: number;
  readonly effect_key: string;
  readonly kind: string;
  readonly next_attempt_at_ms: number;
  readonly gate: string;
  readonly occurrence: number;
  readonly timer_id: string;
  readonly fire_at_ms: number;
  readonly tokens: number;
  readonly tokens_spent: number;
  readonly event_id: string;
  readonly version: number;
  readonly value?: { readonly value_json: string };
}

/** Unpacks an entry. */
export const readEntry = ({ kind, seq, at, meta, body }: Entry): ReadEntry => ({
  kind,
  seq,
  at,
  meta: JSON.parse(meta) as Meta,
  body: body === undefined ? [] : decodeBody(body, kind),
});
