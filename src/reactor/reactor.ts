import { setMaxListeners } from "node:events";
import { partitionOfRow, reactorIndex } from "../codec/row-id.ts";
import type { Background } from "../engine/background.ts";
import type { EnginePorts } from "../engine/engine-tape.ts";
import { dutyOfKey } from "../journal/reaction/reaction.ts";
import type { IndexKey, RowId } from "../model/row.ts";
import type { ScanItem } from "../store/store.ts";
import { FeedPages } from "./feed-pages.ts";
import type { ReactorPorts } from "./reactor-ports.ts";
import { ReactorReports, type ReactorObserver } from "./reactor-reports.ts";
import { RunStarter } from "./run-starter.ts";
import { ShardMatcher } from "./shard-matcher.ts";
import { Turnstile } from "./turnstile.ts";

/** How often to look for reactions that were registered with other servers. */
const lookEveryMs = 5000;
const scanPage = 256;
/** Pages of tasks made at once: some thousand calls, which leaves the pipeline room for callers. */
const pagesMadeAtOnce = 4;

/** What matches the feed with reactions, for {@link EngineOptions.reactor}; `observer` is told what goes wrong. */
export const reactor =
  (observer: ReactorObserver = () => undefined): ((ports: EnginePorts) => Background) =>
  (ports) =>
    new Reactor(ports, observer);

/**
 * Has a matcher for each shard of each registered reaction, and a starter for each reaction that starts runs. Which of
 * several servers does the work is decided on the shards' rows. While no reaction is registered nothing reads the feed.
 */
class Reactor implements Background {
  readonly #ports: ReactorPorts;
  readonly #stop = new AbortController();
  /** What is done, by row of the reaction and part of the work. */
  readonly #workers = new Map<string, Promise<void>>();
  /** By row of the reaction. */
  readonly #starters = new Map<RowId, RunStarter>();
  #wake = new AbortController();
  #running: Promise<void> | null = null;

  constructor(ports: EnginePorts, observer: ReactorObserver) {
    this.#ports = {
      ...ports,
      owner: `server-${ports.ids.id()}`,
      stopping: this.#stop.signal,
      pages: new FeedPages(ports.store),
      making: new Turnstile(pagesMadeAtOnce),
      reports: new ReactorReports(observer, () => ports.clock.now()),
    };
  }

  start(): void {
    // Some listeners a shard: many are no leak.
    setMaxListeners(0, this.#stop.signal);
    this.#running ??= this.#loop();
  }

  noticed(keys: readonly IndexKey[]): void {
    for (const { index } of keys) {
      if (index === reactorIndex) this.#wake.abort();
      else if (this.#starters.size > 0 && index.includes("/tasks/")) this.#pokeStarters();
    }
  }

  get counts(): ReactorReports["counts"] {
    return this.#ports.reports.counts;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
    await Promise.all(this.#workers.values());
  }

  #pokeStarters(): void {
    for (const starter of this.#starters.values()) starter.poke();
  }

  async #loop(): Promise<void> {
    const { clock } = this.#ports;
    while (!this.#stop.signal.aborted) {
      this.#wake = new AbortController();
      try {
        await this.#look();
      } catch {
        // The store is away or the engine is closing; the next look tries again.
      }
      if (!this.#stop.signal.aborted) await clock.sleep(lookEveryMs, this.#wake.signal);
    }
  }

  async #look(): Promise<void> {
    for (let after: ScanItem | undefined; ;) {
      const page = await this.#ports.store.scan(reactorIndex, { after, limit: scanPage });
      for (const { row, key } of page.items) this.#serve(row, key);
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  /** A key may be a leftover; then what it asks for ends at once. */
  #serve(row: RowId, key: string): void {
    if (this.#stop.signal.aborted) return;
    const partition = partitionOfRow(row);
    const { numShards, startsRuns } = dutyOfKey(key);
    for (let shard = 0; shard < numShards; shard += 1) {
      this.#work(`${row} ${shard}`, () => new ShardMatcher(this.#ports, { partition, reaction: row, shard }).run());
    }
    if (!startsRuns) return;
    this.#work(`${row} starter`, async () => {
      const starter = new RunStarter(this.#ports, partition, row);
      this.#starters.set(row, starter);
      await starter.run();
      this.#starters.delete(row);
    });
  }

  /** Does this unless it is being done. */
  #work(name: string, work: () => Promise<void>): void {
    if (this.#workers.has(name)) return;
    this.#workers.set(
      name,
      work().finally(() => this.#workers.delete(name)),
    );
  }
}
