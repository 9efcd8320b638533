import { encodeBody } from "../codec/body.ts";
import type { Context } from "../journal/row.ts";
import type { Limits } from "../journal/limits.ts";
import type { Seq } from "../model/row.ts";
import type { Entry } from "../store/store.ts";
import type { IdSource } from "./id-source.ts";
import type { Group, RowEvent, RowSlot, Task } from "./row-slot.ts";

/** What the rules are told when they decide a call. */
export function contextOf(
  slot: RowSlot,
  { call, bodies, keyWonAt }: Task,
  { now, ids, limits }: { readonly now: number; readonly ids: IdSource; readonly limits: Limits },
): Context {
  return {
    now,
    limits,
    get freshId() {
      return ids.id();
    },
    requestHash: call.requestHash,
    leaseEpoch: call.leaseEpoch,
    claimer: call.claimer,
    strict: call.strict,
    occurrence: call.occurrence,
    bodies: (seq) => (bodies?.has(seq) === true ? bodies.get(seq) : slot.keptBody(seq)),
    businessKeyWon: keyWonAt === slot.generation,
  };
}

/** An event as the store gets it. */
export function toEntry(event: Extract<RowEvent, { ref: string }>, seq: Seq, trace: string, at: number): Entry {
  const { kind, ref, dims, body } = event;
  const entry = { seq, kind, ref, dims, meta: JSON.stringify(event.meta), at, trace };
  return body === undefined ? entry : { ...entry, body: encodeBody(body) };
}

/** What an entry takes beside its texts, roughly. */
const entryOverhead = 200;

/** Puts an entry into the group's append. */
export function collect(group: Group, entry: Entry): void {
  group.entries.push(entry);
  group.bytes += entry.meta.length + (entry.body?.byteLength ?? 0) + entryOverhead;
}
