import { partitionOf, runRow } from "../../../src/codec/row-id.ts";
import type { JournalEntry } from "../../../src/model/run.ts";
import type { RowId } from "../../../src/model/row.ts";
import type { Tape } from "../../../src/model/tape.ts";
import type { Stage } from "../actors/stage.ts";
import type { Auditor } from "../audit/auditor.ts";
import { isOver } from "../audit/run-record.ts";
import type { World } from "../world/world.ts";
import type { Follower } from "./followed-stream.ts";

/** Follows one run after the other with SubscribeRun (R14): every entry, in order, until the run is over. */
export class RunFollower implements Follower<JournalEntry> {
  readonly name: string;
  readonly #world: World;
  readonly #auditor: Auditor;
  readonly #stage: Stage;
  /** Run to the last entry that was seen of it. */
  readonly #seen = new Map<string, number>();
  #runId = "";

  constructor(world: World, auditor: Auditor, stage: Stage, name: string) {
    this.#world = world;
    this.#auditor = auditor;
    this.#stage = stage;
    this.name = name;
  }

  open(tape: Tape, signal: AbortSignal): AsyncIterable<JournalEntry> | null {
    const runIds = [...this.#stage.begun.values()];
    const behind = runIds.filter((runId) => this.#unseen(runId) > 0);
    if (runIds.length === 0) return null;
    this.#runId = this.#world.random.pick(behind.length > 0 ? behind : runIds);
    const seen = this.#seen.get(this.#runId) ?? 0;
    return tape.subscribeRun({ runId: this.#runId, fromSeq: seen + 1 }, { signal });
  }

  take({ seq, payloadJson, kind, globalSeq }: JournalEntry): void {
    const runId = this.#runId;
    this.#world.tell(() => `<- ${this.name} gets entry ${seq} of ${runId}: ${kind}`);
    const seen = this.#seen.get(runId) ?? 0;
    const item = this.#auditor.feed[globalSeq - 1];
    const isRight = item?.row === this.#row(runId) && item.seq === seq && item.meta === payloadJson;
    if (seq !== seen + 1 || !isRight) {
      this.#world.violated(
        "watcher-sees-all",
        `${this.name} got ${kind}, entry ${seq} of ${runId}, after ${seen}; in the feed at ${globalSeq} is entry ${item?.seq ?? 0} of ${item?.row ?? "nothing"}`,
      );
    }
    this.#seen.set(runId, seq);
  }

  /** A stream ends when the run has, and when everything up to the end was sent. */
  ended(): void {
    const runId = this.#runId;
    const { status } = this.#stage.promises.run(runId);
    const end = this.#auditor.feed.findLast(({ row, kind }) => row === this.#row(runId) && kind.startsWith("run/"));
    const seen = this.#seen.get(runId) ?? 0;
    if (isOver(status) && seen >= (end?.seq ?? 0)) return;
    this.#world.violated(
      "watcher-sees-all",
      `the stream of ${runId} ended for ${this.name} after ${seen}; the run is ${status}, by entry ${end?.seq ?? 0}`,
    );
  }

  /** A run of which it has not seen all; empty: none. */
  get behind(): string {
    const runId = [...this.#stage.begun.values()].find((one) => this.#unseen(one) > 0);
    return runId === undefined ? "" : `${this.name} has not seen all of ${runId}`;
  }

  #unseen(runId: string): number {
    return this.#stage.promises.run(runId).seq - (this.#seen.get(runId) ?? 0);
  }

  #row(runId: string): RowId {
    return runRow(partitionOf(""), runId);
  }
}
