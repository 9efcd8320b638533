import type { EventEntry } from "../../../src/model/feed.ts";
import { runRow, partitionOf } from "../../../src/codec/row-id.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { Network } from "../world/network.ts";
import type { World } from "../world/world.ts";

const partition = partitionOf("");

/**
 * Follows the feed through one server after the other, from where it was. What it gets is compared with what was
 * committed, entry by entry: none skipped, none twice, none out of order.
 */
export class FeedReader {
  readonly #world: World;
  readonly #network: Network;
  readonly #auditor: Auditor;
  readonly #name: string;
  #seen = 0;
  #position = 0;

  constructor(world: World, network: Network, auditor: Auditor, name: string) {
    this.#world = world;
    this.#network = network;
    this.#auditor = auditor;
    this.#name = name;
  }

  /** How many entries it has seen. */
  get seen(): number {
    return this.#seen;
  }

  start(): void {
    void this.#follow();
  }

  async #follow(): Promise<void> {
    for (;;) {
      const server = this.#network.connect();
      const leave = new AbortController();
      this.#world.tell(() => `-> ${server.name}: ${this.#name} SubscribeEvents from ${this.#position}`);
      const gone = new Promise<null>((resolve) => {
        if (!server.alive) resolve(null);
        server.onCrash.add(() => {
          resolve(null);
        });
      });
      try {
        const entries = server.tape.subscribeEvents({ fromGlobalSeq: this.#position }, { signal: leave.signal });
        const stream = entries[Symbol.asyncIterator]();
        for (;;) {
          const result = await Promise.race([stream.next(), gone]);
          if (result === null || result.done === true) break;
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

  #take({ runId, seq, globalSeq, kind }: EventEntry): void {
    this.#world.tell(() => `<- ${this.#name} gets ${globalSeq}: ${kind}, entry ${seq} of ${runId || "no run"}`);
    const expected = this.#auditor.feed[this.#seen];
    const isNext =
      expected !== undefined && expected.seq === seq && (runId === "" || runRow(partition, runId) === expected.row);
    if (!isNext || globalSeq <= this.#position) {
      this.#world.violated(
        "feed-is-complete",
        `${this.#name} got entry ${seq} of ${runId} at ${globalSeq} after ${this.#position}; next was entry ${expected?.seq ?? "none"} of ${expected?.row ?? "nothing"}`,
      );
    }
    this.#seen += 1;
    this.#position = globalSeq;
  }
}
