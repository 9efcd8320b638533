import { partitionOf, valueRow } from "../../../src/codec/row-id.ts";
import type { WatchedValue } from "../../../src/model/call.ts";
import type { RowId } from "../../../src/model/row.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { writtenNamespace } from "../actors/writer.ts";
import type { Auditor } from "../audit/auditor.ts";
import type { SimulatedData } from "../world/simulated-data.ts";
import type { World } from "../world/world.ts";
import type { Follower } from "./followed-stream.ts";

/** Where a stream of a value begins. */
interface Start {
  /** As asked for; 0: at the current value. */
  readonly from: number;
  /** The current version when it was asked for. */
  readonly current: number;
}

/** Watches one value (R61): the current one or all from a version on, each change once, in order, gaps only where told. */
export class ValueWatcher implements Follower<WatchedValue> {
  readonly name: string;
  readonly #world: World;
  readonly #auditor: Auditor;
  readonly #data: SimulatedData;
  readonly #key: string;
  readonly #row: RowId;
  /** The last version that was seen. */
  #seen = 0;
  /** Before the first event of a stream. */
  #start: Start | null = null;

  constructor(world: World, auditor: Auditor, data: SimulatedData, key: string, name: string) {
    this.#world = world;
    this.#auditor = auditor;
    this.#data = data;
    this.#key = key;
    this.#row = valueRow(partitionOf(""), writtenNamespace, key);
    this.name = name;
  }

  open(tape: Tape, signal: AbortSignal): AsyncIterable<WatchedValue> {
    const { random } = this.#world;
    const from = random.pick([0, this.#seen, this.#seen, this.#seen, random.int(this.#seen + 1)]);
    this.#start = { from, current: this.#current };
    return tape.watchValue({ namespace: writtenNamespace, key: this.#key, fromVersion: from }, { signal });
  }

  take({ value, prevVersion, prevValueJson, gap }: WatchedValue): void {
    const { version, valueJson, deleted } = value;
    this.#world.tell(() => `<- ${this.name} gets ${this.#key} at ${version}${gap ? ", after a gap" : ""}`);
    const start = this.#start;
    this.#start = null;
    const wrong = this.#wrongPlace(version, gap, start);
    if (wrong !== "") this.#complain(`got ${this.#key} at ${version}, ${wrong}`);
    const versions = this.#auditor.values.get(this.#row)?.versions;
    const written = versions?.get(version);
    if (written !== valueJson || deleted !== (written === "")) {
      this.#complain(`got ${valueJson} at ${version}, which was written as ${written ?? "nothing"}`);
    }
    const before = versions?.get(version - 1) ?? "";
    // What went before is told while it is kept.
    const isTold = prevValueJson === before || (prevValueJson === "" && version - 1 < this.#firstKept);
    if (prevVersion !== version - 1 || !isTold) {
      this.#complain(`got ${version} after ${prevVersion}, ${prevValueJson}; before it was ${before}`);
    }
    this.#seen = version;
  }

  /** A watch has no end. */
  ended(): void {
    this.#complain("was told that there is nothing more to come");
  }

  /** What it has not seen; empty: nothing. */
  get behind(): string {
    return this.#seen < this.#current ? `${this.name} has seen ${this.#key} up to ${this.#seen}` : "";
  }

  /** What is wrong with a version that comes now. */
  #wrongPlace(version: number, gap: boolean, start: Start | null): string {
    if (start?.from === 0) return !gap && version >= start.current ? "" : `the current one was ${start.current}`;
    const last = start?.from ?? this.#seen;
    if (!gap) return version === last + 1 ? "" : `after ${last}`;
    if (last + 1 >= this.#firstKept)
      return `with a gap after ${last}, but everything from ${this.#firstKept} on is kept`;
    return version >= (start?.current ?? last) ? "" : `with a gap, when the current one was ${start?.current ?? 0}`;
  }

  get #current(): number {
    return this.#auditor.values.get(this.#row)?.versions.size ?? 0;
  }

  get #firstKept(): number {
    return this.#data.rows.read(this.#row, { limit: 1 })?.entries[0]?.seq ?? 1;
  }

  #complain(what: string): void {
    this.#world.violated("watcher-sees-all", `${this.name} ${what}`);
  }
}
