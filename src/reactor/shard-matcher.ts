import { reactionShardRow, taskIdOf, taskRow, type Partition } from "../codec/row-id.ts";
import { DamagedRows } from "../engine/damaged-rows.ts";
import { eventEntry } from "../engine/journal-entry.ts";
import { reactionTarget } from "../engine/reactions.ts";
import { plainCall } from "../engine/row-slot.ts";
import type { Target } from "../engine/slot-cache.ts";
import { compileReaction, Debounce, shardOf, type Waiting } from "../journal/reaction/match.ts";
import type { Registered } from "../journal/reaction/reaction.ts";
import { readReaction } from "../journal/reaction/register.ts";
import {
  moveCursor,
  readShard,
  shardRules,
  takeShard,
  type Shard,
  type ShardEvent,
} from "../journal/reaction/shard.ts";
import { makeTask } from "../journal/task/decide.ts";
import { taskRules, type TaskFacts } from "../journal/task/task.ts";
import type { EventEntry } from "../model/feed.ts";
import type { RowId } from "../model/row.ts";
import type { FeedEntry, FeedPage } from "../store/store.ts";
import { waitFor, type ReactorPorts } from "./reactor-ports.ts";

/** How long a server has a shard to itself after it last wrote the cursor. */
const leaseMs = 15_000;
/** How often to look whether another server still has the shard. */
const lookMs = 2000;
/** The cursor is written once in this time, or in so many pages: what is matched twice makes no second task. */
const saveEveryMs = 1000;
const saveEveryPages = 16;
/** Pause after an error of the store. */
const retryMs = 1000;
/** How far the clocks of two servers may be apart, by far (R8). */
const mostSkewMs = 600_000;
/** Sources with an entry that waits; more are not read before some of them are due. */
const mostWaiting = 10_000;

/** Which shard of which reaction. */
export interface ShardPlace {
  readonly partition: Partition;
  /** The row of the reaction. */
  readonly reaction: RowId;
  readonly shard: number;
}

/** The shard as this server has it. */
interface Held {
  readonly reaction: Registered;
  readonly verdict: ReturnType<typeof compileReaction>;
  readonly epoch: number;
  expiresAtMs: number;
  /** Everything up to here has been looked at. */
  cursor: number;
  /** Up to here that is written. */
  saved: number;
  savedAtMs: number;
  pages: number;
  readonly debounce: Debounce;
}

/** What to do next: at once, or after a hint that the feed goes on, or after some time, or nothing any more. */
type Next = "at once" | "gone" | { readonly onFeed: boolean; readonly ms?: number | undefined };

/**
 * Matches one shard of a reaction with the feed (R70), while this server has the shard: reads a page, then the reaction as
 * it is by then (so that what was written after a change meets the changed reaction), makes the tasks, and only then moves
 * the cursor. Tasks are rows whose ids are hashes of reaction and entry: a page that is matched again makes none twice.
 */
export class ShardMatcher {
  readonly #ports: ReactorPorts;
  readonly #place: ShardPlace;
  #held: Held | null = null;
  /** The reaction's row has changed, perhaps. */
  #hasNews = false;

  constructor(ports: ReactorPorts, place: ShardPlace) {
    this.#ports = ports;
    this.#place = place;
  }

  /** Works until the reactor ends or the reaction is no longer registered. Never rejects. */
  async run(): Promise<void> {
    const { clock, wakeups, stopping, reports } = this.#ports;
    while (!stopping.aborted) {
      const feed = wakeups.listen(null, stopping);
      const reaction = wakeups.listen(this.#place.reaction, stopping);
      const news = reaction.wait().then(() => {
        this.#hasNews = true;
      });
      try {
        const next = await this.#step();
        if (next === "gone") return;
        if (next !== "at once") {
          if (next.onFeed) await waitFor(this.#ports, Promise.race([feed.wait(), news]), next.ms);
          else await clock.sleep(next.ms ?? 0, stopping);
        }
      } catch (cause) {
        if (stopping.aborted) break;
        const { reactionId } = this.#held?.reaction.definition ?? { reactionId: this.#place.reaction };
        this.#held = null;
        reports.trouble({
          reactionId,
          kind: "matching",
          message: "matching was interrupted; it is tried again, nothing is lost",
          cause,
        });
        await clock.sleep(retryMs, stopping);
      } finally {
        feed.stop();
        reaction.stop();
      }
    }
    // The next server need not wait for the lease to expire.
    if (this.#held !== null) await this.#save(this.#held, 0).catch(() => undefined);
  }

  async #step(): Promise<Next> {
    const { clock, pages } = this.#ports;
    const held = this.#held;
    if (held === null || held.expiresAtMs <= clock.now()) return this.#take();
    if (this.#hasNews) {
      this.#hasNews = false;
      const changed = await this.#changed(held);
      if (changed !== null) return changed;
    }
    if (held.debounce.size >= mostWaiting) return this.#settleBursts(held);
    // From before the page: of what was written after it was read nothing is known, however late it is by now.
    const asOfMs = this.#feedTime();
    const page = await pages.read(held.cursor);
    if (page.next === held.cursor) return this.#atEnd(held, asOfMs);
    const changed = await this.#changed(held);
    if (changed !== null) return changed;
    await this.#match(held, page);
    held.cursor = page.next;
    held.pages += 1;
    if (held.debounce.size > 0) await this.#settle(held, this.#timeOf(page.entries.at(-1)));
    await this.#saveInTime(held);
    return "at once";
  }

  /** What to do when the reaction is no longer as it was; `null` when it is. */
  async #changed(held: Held): Promise<Next | null> {
    const reaction = await this.#reaction();
    if (reaction?.revision === held.reaction.revision) return null;
    // What the older revision has looked at is not looked at again by a newer one.
    await this.#save(held, leaseMs);
    this.#held = null;
    return reaction === null ? "gone" : "at once";
  }

  /** Takes the shard if there is something to match and nobody else has it. */
  async #take(): Promise<Next> {
    const { pipeline, clock, owner, pages, feedEnd } = this.#ports;
    const before = this.#held;
    this.#held = null;
    const [reaction, shard] = [await this.#reaction(), await pipeline.execute(this.#shard(), readShard, plainCall)];
    if (reaction === null) return "gone";
    // After a restart the cursors are what is known of the feed.
    feedEnd.learn(shard.cursor);
    const { generation, start } = reaction;
    if (shard.leaseExpiresAtMs > clock.now() && shard.owner !== owner) {
      return { onFeed: false, ms: Math.min(lookMs, shard.leaseExpiresAtMs - clock.now()) };
    }
    const isOurs = before !== null && shard.epoch === before.epoch && before.reaction.revision === reaction.revision;
    const cursor = isOurs ? before.cursor : shard.generation === generation ? shard.cursor : start;
    const hasWork = isOurs && (before.saved < before.cursor || before.debounce.size > 0);
    if (!hasWork && (await pages.read(cursor)).next === cursor) {
      this.#held = isOurs ? before : null;
      return { onFeed: true };
    }
    const taking = takeShard({ owner, leaseMs, generation, start });
    const taken = await pipeline.execute(this.#shard(), taking, plainCall);
    if (taken === null) return { onFeed: false, ms: lookMs };
    const expiresAtMs = taken.leaseExpiresAtMs;
    this.#held =
      isOurs && taken.epoch === before.epoch
        ? { ...before, expiresAtMs }
        : {
            reaction,
            verdict: compileReaction(reaction.definition),
            epoch: taken.epoch,
            expiresAtMs,
            cursor: taken.cursor,
            saved: taken.cursor,
            savedAtMs: clock.now(),
            pages: 0,
            debounce: new Debounce(),
          };
    return "at once";
  }

  /** Nothing that was written until this time follows. */
  async #atEnd(held: Held, asOfMs: number): Promise<Next> {
    const { clock } = this.#ports;
    if (held.debounce.size > 0) await this.#settle(held, asOfMs);
    await this.#saveInTime(held);
    if (this.#held === null) return "at once";
    const saveAtMs = durable(held) > held.saved ? held.savedAtMs + saveEveryMs : Infinity;
    const wakeAtMs = Math.min(saveAtMs, this.#settlesAtMs(held));
    return { onFeed: true, ms: wakeAtMs === Infinity ? undefined : wakeAtMs - clock.now() };
  }

  /** Too many bursts are open to read on: waits until the first of them is over. */
  async #settleBursts(held: Held): Promise<Next> {
    await this.#settle(held, this.#feedTime());
    await this.#saveInTime(held);
    if (held.debounce.size < mostWaiting) return "at once";
    return { onFeed: false, ms: Math.max(1, this.#settlesAtMs(held) - this.#ports.clock.now()) };
  }

  /** At the end of the feed nothing comes any more that was written before this time. */
  #feedTime(): number {
    const { clock, store } = this.#ports;
    return clock.now() - (store.capabilities.feedDelayMs ?? 0);
  }

  /** When an entry was written. A time that has not come, by more than clocks may be apart, is damaged: it says nothing. */
  #timeOf(entry: FeedEntry | undefined): number {
    const atMs = entry?.at ?? 0;
    return atMs <= this.#ports.clock.now() + mostSkewMs ? atMs : 0;
  }

  /** When the first entry that waits has waited long enough. */
  #settlesAtMs({ debounce, reaction }: Held): number {
    const { feedDelayMs = 0 } = this.#ports.store.capabilities;
    return (debounce.dueMs(reaction.definition.debounceMs) ?? Infinity) + feedDelayMs;
  }

  async #match(held: Held, { entries }: FeedPage): Promise<void> {
    const { definition } = held.reaction;
    const prefix = `${this.#place.partition}/`;
    const tasks: TaskFacts[] = [];
    const settled: Waiting[] = [];
    for (const entry of entries) {
      if (!entry.row.startsWith(prefix) || shardOf(entry.row, definition.numShards) !== this.#place.shard) continue;
      const event = eventEntry(entry);
      if (!this.#matches(held, event)) continue;
      if (definition.debounceMs === 0) tasks.push(this.#taskOf(held, entry, event));
      else {
        const waiting = { position: entry.position, atMs: this.#timeOf(entry) };
        const before = held.debounce.add(entry.row, waiting, definition.debounceMs);
        if (before !== undefined) settled.push(before);
      }
    }
    await this.#make(tasks);
    await this.#makeWaiting(held, settled);
  }

  #matches({ reaction, verdict }: Held, event: EventEntry): boolean {
    const said = verdict(event);
    if (said === "failed") {
      const { reports } = this.#ports;
      reports.counts.predicatesFailed += 1;
      reports.trouble({
        reactionId: reaction.definition.reactionId,
        kind: "predicate",
        message: `the predicate cannot be evaluated on entry ${event.globalSeq} (${event.kind}), which counts as no match`,
      });
    }
    return said === "match";
  }

  /** Makes the tasks of entries that were the last of their bursts, as of this time. */
  async #settle(held: Held, untilMs: number): Promise<void> {
    await this.#makeWaiting(held, held.debounce.take(untilMs, held.reaction.definition.debounceMs));
  }

  async #makeWaiting(held: Held, waiting: readonly Waiting[]): Promise<void> {
    const { store, making } = this.#ports;
    // An entry that is gone from the feed by now makes none.
    const found = await Promise.all(
      waiting.map(({ position }) =>
        making.pass(async () => {
          const { entries } = await store.tail({ after: position - 1, limit: 1 });
          return entries.filter((entry) => entry.position === position);
        }),
      ),
    );
    await this.#make(found.flat().map((entry) => this.#taskOf(held, entry, eventEntry(entry))));
  }

  #taskOf({ reaction }: Held, entry: FeedEntry, event: EventEntry): TaskFacts {
    const { definition } = reaction;
    return {
      taskId: taskIdOf(definition.reactionId, entry.row, entry.seq),
      reactionId: definition.reactionId,
      shard: this.#place.shard,
      isSharded: definition.numShards > 1,
      sourceRunId: event.runId,
      sourceGlobalSeq: event.globalSeq,
      subject: event.subject,
      payloadJson: event.payloadJson,
      createdAtMs: this.#ports.clock.now(),
      traceId: event.traceId,
      parentSpanId: event.spanId,
      retryMax: definition.retryMax,
      retryBackoffMs: definition.retryBackoffMs,
      dlqAfterN: definition.dlqAfterN,
    };
  }

  /** Resolves when all of these tasks are durable. */
  async #make(tasks: readonly TaskFacts[]): Promise<void> {
    if (tasks.length === 0) return;
    const { pipeline, making, reports } = this.#ports;
    const { partition } = this.#place;
    const damaged = new DamagedRows();
    const made = await making.pass(() =>
      Promise.all(
        tasks.map((facts) => {
          const target = {
            row: taskRow(partition, facts.taskId),
            partition,
            rules: taskRules,
            presumedAbsent: true,
          } as const;
          // One that is there and cannot be read has been made; the others of its page are not to wait for its mending.
          return damaged.skip(pipeline.execute(target, makeTask(facts), plainCall), false);
        }),
      ),
    );
    reports.counts.tasksMade += made.filter(Boolean).length;
  }

  /** Writes the cursor when it is time to. */
  async #saveInTime(held: Held): Promise<void> {
    const { clock } = this.#ports;
    const isTime = clock.now() >= held.savedAtMs + saveEveryMs || held.pages >= saveEveryPages;
    if (isTime && durable(held) > held.saved && !(await this.#save(held, leaseMs))) this.#held = null;
  }

  async #save(held: Held, ms: number): Promise<boolean> {
    const { pipeline, clock } = this.#ports;
    const cursor = durable(held);
    const moving = moveCursor(held.epoch, held.reaction.generation, cursor, ms);
    const isOurs = await pipeline.execute(this.#shard(), moving, plainCall);
    held.saved = cursor;
    held.savedAtMs = clock.now();
    held.expiresAtMs = held.savedAtMs + ms;
    held.pages = 0;
    return isOurs;
  }

  #reaction(): Promise<Registered | null> {
    const { partition, reaction } = this.#place;
    return this.#ports.pipeline.execute(reactionTarget(partition, reaction), readReaction, plainCall);
  }

  #shard(): Target<Shard, ShardEvent> {
    const { partition, reaction, shard } = this.#place;
    return { row: reactionShardRow(reaction, shard), partition, rules: shardRules };
  }
}

/** Everything up to here has its tasks: an entry that waits for its burst to end has none yet. */
const durable = ({ cursor, debounce }: Held): number => Math.min(cursor, (debounce.oldest ?? Infinity) - 1);
