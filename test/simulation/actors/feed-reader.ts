import type { EventEntry } from "../../../src/model/feed.ts";
import { runRow, partitionOf, partitionOfRow, type Partition } from "../../../src/codec/row-id.ts";
import type { Auditor, FeedItem } from "../audit/auditor.ts";
import type { Network } from "../world/network.ts";
import type { World } from "../world/world.ts";

/**
 * Follows the feed through one server after the other, from where it was. What it gets is compared with what was
 * committed, entry by entry: none skipped, none twice, none out of order.
 */
export class FeedReader {
  readonly #world: World;
  readonly #network: Network;
  readonly #auditor: Auditor;
  readonly #name: string;
  readonly #partition: Partition;
  /** The kind of entries that it wants; empty: any. */
  readonly #kind: string;
  /** Position of the last entry that it got. */
  #seen = 0;

  /** @param tenant Whose entries it gets. */
  constructor(world: World, network: Network, auditor: Auditor, name: string, tenant = "") {
    this.#partition = partitionOf(tenant);
    this.#world = world;
    this.#network = network;
    this.#auditor = auditor;
    this.#name = name;
    this.#kind = world.random.pick(["", "", "", "", "run", "effect", "decision"]);
  }

  /** How many entries of the feed are behind it, seen, another tenant's, or gone. */
  get seen(): number {
    const { feed } = this.#auditor;
    // What has gone may still be on its way, so it is not passed by for good.
    const next = feed.findIndex((item, i) => i >= this.#seen && !this.#mayMiss(item));
    return next < 0 ? feed.length : next;
  }

  start(): void {
    void this.#follow();
  }

  async #follow(): Promise<void> {
    for (;;) {
      const server = this.#network.connect();
      const leave = new AbortController();
      // Two ways to say the same (R51).
      const filter = this.#world.random.pick([{ kind: this.#kind }, { subjectPattern: patternOf(this.#kind) }]);
      this.#world.tell(() => `-> ${server.name}: ${this.#name} SubscribeEvents from ${this.#seen}`);
      const gone = new Promise<null>((resolve) => {
        if (!server.alive) resolve(null);
        server.onCrash.add(() => {
          resolve(null);
        });
      });
      try {
        const entries = this.#network
          .tapeOf(server)
          .subscribeEvents({ fromGlobalSeq: this.#seen, ...filter }, { signal: leave.signal });
        const stream = entries[Symbol.asyncIterator]();
        for (;;) {
          const result = await Promise.race([stream.next(), gone]);
          if (result === null || result.done === true) break;
          this.#network.mustBeOwn(`an entry for ${this.#name}`, result.value);
          this.#take(result.value);
          // Now and then a reader goes away in the middle.
          if (this.#world.faults.happens("actor-death")) break;
        }
      } catch {
        // The store was away: from where it was, another time.
      }
      if (server.alive) leave.abort();
      await this.#network.sleep(this.#world.random.int(2000));
    }
  }

  /** The feed's positions count its entries: what comes is told by its position, and what was passed by had to be gone. */
  #take({ runId, seq, globalSeq, kind }: EventEntry): void {
    this.#world.tell(() => `<- ${this.#name} gets ${globalSeq}: ${kind}, entry ${seq} of ${runId || "no run"}`);
    const { feed } = this.#auditor;
    const item = feed[globalSeq - 1];
    const isIt =
      item?.seq === seq &&
      this.#isWanted(item) &&
      partitionOfRow(item.row) === this.#partition &&
      (runId === "" || runRow(this.#partition, runId) === item.row);
    const missed = feed.slice(this.#seen, globalSeq - 1).find((passed) => !this.#mayMiss(passed));
    if (!isIt || globalSeq <= this.#seen || missed !== undefined) {
      this.#world.violated(
        "feed-is-complete",
        `${this.#name} got entry ${seq} of ${runId} at ${globalSeq} after ${this.#seen}; there is entry ${item?.seq ?? "none"} of ${item?.row ?? "nothing"}, and entry ${missed?.seq ?? "none"} of ${missed?.row ?? "nothing"} was passed by`,
      );
    }
    this.#seen = globalSeq;
  }

  /** Whether it is right not to get an entry. */
  #mayMiss(item: FeedItem | undefined): boolean {
    return item === undefined || item.gone || partitionOfRow(item.row) !== this.#partition || !this.#isWanted(item);
  }

  #isWanted({ kind }: FeedItem): boolean {
    return this.#kind === "" || kind.startsWith(`${this.#kind}/`);
  }
}

const patternOf = (kind: string): string => (kind === "" ? "" : `/tape/${kind}/**`);
