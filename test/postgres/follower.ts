import type { JournalEntry } from "../../src/model/run.ts";
import type { Tape } from "../../src/model/tape.ts";

/** A stream of one run's entries, out of its journal or out of the feed, that can be subscribed to again. */
export class Follower {
  readonly #tape: Tape;
  readonly #runId: string;
  readonly #from: "run" | "feed";
  #stream: AsyncIterator<JournalEntry>;
  #last: JournalEntry | undefined;

  constructor(tape: Tape, runId: string, from: "run" | "feed") {
    this.#tape = tape;
    this.#runId = runId;
    this.#from = from;
    this.#stream = this.#subscribe();
  }

  /** The seq of the next entry. */
  async next(): Promise<number> {
    const result = await this.#stream.next();
    if (result.done === true) throw new Error("the stream ended without a reason");
    this.#last = result.value;
    return result.value.seq;
  }

  /** Subscribes anew, behind the last entry. */
  resume(): void {
    this.#stream = this.#subscribe();
  }

  async leave(): Promise<void> {
    await this.#stream.return?.();
  }

  #subscribe(): AsyncIterator<JournalEntry> {
    const runId = this.#runId;
    const stream =
      this.#from === "run"
        ? this.#tape.subscribeRun({ runId, fromSeq: (this.#last?.seq ?? 0) + 1 })
        : this.#tape.subscribeEvents({ runId, fromGlobalSeq: this.#last?.globalSeq ?? 0 });
    return stream[Symbol.asyncIterator]();
  }
}
