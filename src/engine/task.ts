import { encodeBody } from "../codec/body.ts";
import type { BodyLookup, Context } from "../journal/row.ts";
import type { Limits } from "../journal/limits.ts";
import type { Seq } from "../model/row.ts";
import type { Entry } from "../store/store.ts";
import type { IdSource } from "./id-source.ts";
import type { Group, RowEvent, RowSlot, Task } from "./row-slot.ts";

/** What the rules are told when they decide a call. A class: 22 ns, a literal with a getter 650 ns. */
class CallContext implements Context {
  readonly now: number;
  readonly limits: Limits;
  readonly requestHash: string;
  readonly leaseEpoch: number | undefined;
  readonly claimer: string;
  readonly strict: boolean;
  readonly occurrence: number;
  readonly bodies: BodyLookup;
  readonly businessKeyWon: boolean;
  readonly #ids: IdSource;

  constructor(slot: RowSlot, { call, bodies, keyWonAt }: Task, { now, ids, limits }: Surroundings) {
    this.now = now;
    this.limits = limits;
    this.requestHash = call.requestHash;
    this.leaseEpoch = call.leaseEpoch;
    this.claimer = call.claimer;
    this.strict = call.strict;
    this.occurrence = call.occurrence;
    this.bodies = bodies === null ? slot.keptBody : (seq) => (bodies.has(seq) ? bodies.get(seq) : slot.keptBody(seq));
    this.businessKeyWon = keyWonAt === slot.generation;
    this.#ids = ids;
  }

  get freshId(): string {
    return this.#ids.id();
  }
}

interface Surroundings {
  readonly now: number;
  readonly ids: IdSource;
  readonly limits: Limits;
}

/** What the rules are told when they decide this call. */
export const contextOf = (slot: RowSlot, task: Task, surroundings: Surroundings): Context =>
  new CallContext(slot, task, surroundings);

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
