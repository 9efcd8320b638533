import type { Partition } from "../codec/row-id.ts";
import { toTapeError } from "../errors.ts";
import { fenceEvent, type BodyLookup, type Decide, type Outcome } from "../journal/row.ts";
import type { Limits } from "../journal/limits.ts";
import type { IndexKey, RowId, Seq } from "../model/row.ts";
import type { Store } from "../store/store.ts";
import { BodyReader } from "./bodies.ts";
import type { Clock } from "./clock.ts";
import { Committer } from "./committer.ts";
import { withoutStaleKeys, type KeyFence } from "./key-fence.ts";
import { contended, overloaded, shuttingDown } from "./pipeline-errors.ts";
import { collect, contextOf, toEntry } from "./task.ts";
import { SlotCache, type Target } from "./slot-cache.ts";
import type { IdSource } from "./id-source.ts";
import {
  type RowSlot,
  emptyGroup,
  isFull,
  plainCall,
  type Call,
  type Group,
  type Reply,
  type RowEvent,
  type RowState,
  type Task,
} from "./row-slot.ts";

/** What has to be done before a business key may be used (R22). */
export type WinBusinessKey = (
  partition: Partition,
  need: Extract<Outcome<never, never>, { kind: "needs-business-key" }>,
) => Promise<void>;

/** Options of {@link Pipeline}. */
export interface PipelineOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly limits: Limits;
  readonly cacheBytes: number;
  readonly maxPending: number;
  readonly winBusinessKey: WinBusinessKey;
  readonly onCommit: (row: RowId, addedKeys: readonly IndexKey[], newestEntryMs: number) => void;
  readonly onFailure: (error: unknown) => void;
}

/** Counters since the start, and sizes as of now. */
export interface PipelineStats {
  readonly commits: number;
  readonly batches: number;
  readonly entries: number;
  readonly conflicts: number;
  readonly unknownOutcomes: number;
  readonly loads: number;
  readonly cachedRows: number;
  readonly cacheBytes: number;
  readonly pending: number;
}

/** A row that loses this often is contended beyond reason; the caller may try again. */
const mostConflicts = 100;

/**
 * The one loop that joins rules to the store: load the row, decide, collect, append, answer.
 *
 * Everything that arrives while an append is in flight rides in the next one (group commit). Calls on one row are
 * decided one after the other on a state that may not be durable yet, and share an append; answers wait for it. When
 * an append loses, the state is dropped, the row read again, and the same calls are decided again.
 */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #store: Store;
  readonly #cache: SlotCache;
  readonly #committer: Committer;
  readonly #bodies: BodyReader;
  #loads = 0;
  #pending = 0;
  #closing: (() => void) | null = null;

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#bodies = new BodyReader(options.store);
    this.#cache = new SlotCache(options.cacheBytes);
    this.#committer = new Committer({
      store: options.store,
      clock: options.clock,
      ids: options.ids,
      onCommitted: (slot, group, addedKeys) => {
        this.#committed(slot, group, addedKeys);
      },
      onConflict: (slot, group) => {
        this.#again(slot, [...group.replies, ...(slot.group?.replies ?? [])]);
      },
      onFailed: (slot, error) => {
        this.#fail(slot, error);
      },
    });
  }

  /** Runs one call on one row. Resolves when everything it depends on is durable (R1). */
  execute<S extends RowState, E, T>(target: Target<S, E>, decide: Decide<S, E, T>, call: Call): Promise<T> {
    if (this.#closing !== null) return Promise.reject(shuttingDown());
    if (this.#pending >= this.#options.maxPending) return Promise.reject(overloaded(this.#pending));
    return new Promise<T>((resolve, reject) => {
      this.#pending += 1;
      const slot = this.#cache.get(target);
      // The slot was made with the target's own rules, so the types that are erased here agree again inside.
      const task = { decide, call, resolve, reject, bodies: null, keyWonAt: -1, conflicts: 0 } as unknown as Task;
      this.#run(slot, task);
    });
  }

  /**
   * Takes back an index key that the row does not want (any more): a leftover of a writer that died between the two. A row
   * that does not exist keeps it: it may be about to be made.
   */
  async dropStaleKey<S extends RowState, E>(target: Target<S, E>, key: IndexKey): Promise<void> {
    await this.changeKeys(target, withoutStaleKeys([key], false));
  }

  /** Commits a change of nothing but the row's version and its index keys. */
  changeKeys<S extends RowState, E, T>(target: Target<S, E>, fence: KeyFence<T>): Promise<T> {
    const decide = fence(() => this.#cache.active(target.row));
    return this.execute(target as unknown as Target<RowState, RowEvent>, decide, plainCall);
  }

  /** Counters and sizes. */
  stats(): PipelineStats {
    return { ...this.#committer.stats, ...this.#cache.stats(), loads: this.#loads, pending: this.#pending };
  }

  /** Refuses new calls and waits for those under way. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closing = resolve;
      this.#settled(0);
    });
  }

  #settled(calls: number): void {
    this.#pending -= calls;
    if (this.#closing !== null && this.#pending === 0) this.#closing();
  }

  #run(slot: RowSlot, task: Task): void {
    if (slot.state === null) {
      slot.waiting.push(task);
      if (!slot.loading && slot.sending === null) void this.#load(slot);
    } else {
      this.#decide(slot, slot.state, task);
    }
  }

  async #load(slot: RowSlot): Promise<void> {
    slot.loading = true;
    this.#loads += 1;
    try {
      const slice = await this.#store.read(slot.row, slot.rules.past === "all" ? {} : { limit: 0 });
      slot.restore(slice?.version ?? 0, slice?.head ?? null, slice?.entries ?? []);
    } catch (error) {
      slot.loading = false;
      for (const task of slot.waiting.splice(0)) this.#reject(task, error);
      this.#cache.rest(slot);
      return;
    }
    slot.loading = false;
    for (const task of slot.waiting.splice(0)) this.#run(slot, task);
    this.#cache.rest(slot);
  }

  #decide(slot: RowSlot, state: RowState, task: Task): void {
    if (slot.group !== null && isFull(slot.group)) {
      slot.group.replies.push({ task, undecided: true });
      return;
    }
    const { clock, ids, limits } = this.#options;
    const now = clock.now();
    const context = contextOf(slot, task, { now, ids, limits });
    let outcome: Outcome<RowEvent, unknown>;
    try {
      outcome = task.decide(state, context);
    } catch (error) {
      outcome = { kind: "refuse", events: [], error: error instanceof Error ? error : new Error(String(error)) };
    }
    switch (outcome.kind) {
      case "accept":
        this.#apply(slot, state, outcome.events, { task, answer: outcome.answer }, now);
        return;
      case "refuse":
        this.#apply(slot, state, outcome.events, { task, error: outcome.error }, now);
        return;
      case "needs-bodies":
        void this.#fetchBodies(slot, task, outcome.seqs);
        return;
      case "needs-business-key":
        void this.#winBusinessKey(slot, task, outcome);
        return;
      default:
        outcome satisfies never;
    }
  }

  /** Applies a decision to the speculative state and puts its answer behind the append that makes it true. */
  #apply(slot: RowSlot, state: RowState, events: readonly RowEvent[], reply: Reply, now: number): void {
    const group = (slot.group ??= emptyGroup());
    group.replies.push(reply);
    if (events.length === 0) {
      if (!group.dirty && slot.sending === null) {
        slot.group = null;
        void this.#answerAtRest(slot, group);
      }
      return;
    }
    try {
      for (const event of events) this.#evolve(slot, state, group, event, reply.task.call.trace, now);
    } catch (error) {
      this.#fail(slot, error);
      return;
    }
    group.dirty = true;
    this.#committer.add(slot);
  }

  #evolve(slot: RowSlot, state: RowState, group: Group, event: RowEvent, trace: string, now: number): void {
    group.changesRow ||= event.kind !== fenceEvent;
    if (event.kind === fenceEvent) {
      slot.generation += 1;
    } else if ("ref" in event) {
      slot.rules.evolve(state, event, { seq: state.seq + 1, at: now });
      state.seq += 1;
      if (event.body !== undefined) slot.keepBody(state.seq, event.body);
      collect(group, toEntry(event, state.seq, trace, now));
    } else {
      slot.rules.evolve(state, event, { seq: 0, at: now });
    }
  }

  /** Answers calls that changed nothing and found nothing under way: the cached row must still be current (R6). */
  async #answerAtRest(slot: RowSlot, group: Group): Promise<void> {
    if (this.#store.capabilities.exclusive) {
      this.#answer(slot, group);
      return;
    }
    const { version } = slot;
    slot.busy += 1;
    try {
      const found = await this.#store.read(slot.row, { limit: 0 });
      slot.busy -= 1;
      if ((found?.version ?? 0) === version) {
        this.#answer(slot, group);
        return;
      }
    } catch (error) {
      slot.busy -= 1;
      for (const { task } of group.replies) this.#reject(task, error);
      this.#cache.rest(slot);
      return;
    }
    await this.#catchUp(slot, version);
    for (const { task } of group.replies) this.#run(slot, task);
    this.#cache.rest(slot);
  }

  /** Another process has written the row: reads what is new, unless calls under way will find out by themselves. */
  async #catchUp(slot: RowSlot, staleVersion: number): Promise<void> {
    const { state } = slot;
    if (state === null || slot.version !== staleVersion || !slot.isQuiet) return;
    slot.busy += 1;
    try {
      const options = slot.rules.past === "all" ? { after: state.seq } : { limit: 0 };
      const slice = await this.#store.read(slot.row, options);
      if (slot.state === state && slot.version === staleVersion && slot.isQuiet) {
        slot.generation += 1;
        slot.restore(slice?.version ?? 0, slice?.head ?? null, slice?.entries ?? []);
      }
    } catch {
      // The calls will be decided on a fresh load, and report what is wrong.
      if (slot.isQuiet) slot.drop();
    } finally {
      slot.busy -= 1;
    }
  }

  async #fetchBodies(slot: RowSlot, task: Task, seqs: readonly Seq[]): Promise<void> {
    if (slot.group !== null || slot.sending !== null) {
      // What is under way may be what is wanted.
      (slot.group ??= emptyGroup()).replies.push({ task, undecided: true });
      return;
    }
    slot.busy += 1;
    try {
      const bodies = await this.#bodies.read(slot.row, seqs, slot.keptBody);
      task.bodies = new Map([...(task.bodies ?? []), ...bodies]);
      slot.busy -= 1;
      this.#run(slot, task);
    } catch (error) {
      slot.busy -= 1;
      this.#reject(task, error);
    }
    this.#cache.rest(slot);
  }

  async #winBusinessKey(
    slot: RowSlot,
    task: Task,
    need: Extract<Outcome<never, never>, { kind: "needs-business-key" }>,
  ): Promise<void> {
    const { generation } = slot;
    slot.busy += 1;
    try {
      await this.#options.winBusinessKey(slot.partition, need);
      task.keyWonAt = generation;
      slot.busy -= 1;
      this.#run(slot, task);
    } catch (error) {
      slot.busy -= 1;
      this.#reject(task, error);
    }
    this.#cache.rest(slot);
  }

  #committed(slot: RowSlot, group: Group, addedKeys: readonly IndexKey[]): void {
    this.#answer(slot, group);
    this.#options.onCommit(slot.row, addedKeys, group.entries.at(-1)?.at ?? 0);
    const next = slot.group;
    if (next !== null && !next.dirty) {
      slot.group = null;
      // It came after the append was sent: since that was written, another process may have been told of a later one.
      void this.#answerAtRest(slot, next);
    }
    this.#cache.rest(slot);
  }

  /** The state was built on something that did not happen: everything decided on it is decided again. */
  #again(slot: RowSlot, replies: readonly Reply[]): void {
    slot.group = null;
    this.#committer.remove(slot);
    slot.drop();
    for (const { task } of replies) {
      task.conflicts += 1;
      if (task.conflicts > mostConflicts) this.#reject(task, contended(slot.row));
      else slot.waiting.push(task);
    }
    if (slot.waiting.length > 0 && !slot.loading) void this.#load(slot);
    else this.#cache.rest(slot);
  }

  #fail(slot: RowSlot, error: unknown): void {
    const replies = [...(slot.sending?.replies ?? []), ...(slot.group?.replies ?? [])];
    slot.sending = null;
    slot.group = null;
    this.#committer.remove(slot);
    slot.drop();
    for (const { task } of replies) this.#reject(task, error);
    if (slot.waiting.length > 0 && !slot.loading) void this.#load(slot);
    this.#cache.rest(slot);
  }

  #answer(slot: RowSlot, group: Group): void {
    for (const reply of group.replies) {
      if ("error" in reply) this.#reject(reply.task, reply.error);
      else if ("undecided" in reply) this.#run(slot, reply.task);
      else if (reply.answer.kind === "ready") this.#resolve(reply.task, reply.answer.value);
      else this.#answerReading(slot, reply.task, reply.answer);
    }
    this.#cache.rest(slot);
  }

  #answerReading(slot: RowSlot, task: Task, answer: Extract<Answer, { kind: "reads" }>): void {
    const settle = (bodies: BodyLookup): void => {
      try {
        this.#resolve(task, answer.complete(bodies));
      } catch (error) {
        this.#reject(task, error);
      }
    };
    if (answer.seqs.every((seq) => slot.keptBody(seq) !== undefined)) {
      settle(slot.keptBody);
      return;
    }
    this.#bodies.read(slot.row, answer.seqs, slot.keptBody).then(
      (bodies) => settle((seq) => bodies.get(seq)),
      (error: unknown) => this.#reject(task, error),
    );
  }

  #resolve(task: Task, value: unknown): void {
    task.resolve(value);
    this.#settled(1);
  }

  #reject(task: Task, error: unknown): void {
    this.#options.onFailure(error);
    task.reject(toTapeError(error));
    this.#settled(1);
  }
}

type Answer = Extract<Reply, { answer: unknown }>["answer"];
