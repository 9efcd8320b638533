import type { RetentionBounds } from "../../../src/engine/retention.ts";
import type { RowId } from "../../../src/model/row.ts";
import { indexName, partitionOfRow, payloadsIndex, retireIndex } from "../../../src/codec/row-id.ts";
import type { Surroundings } from "../areas/area.ts";
import type { Commit } from "../audit/auditor.ts";
import { isOver, isSettled, type RunRecord } from "../audit/run-record.ts";
import type { SimulatedData } from "../world/simulated-data.ts";
import type { World } from "../world/world.ts";

/** The head of a chore. */
interface ChoreHead {
  readonly owner: string;
  readonly expires_at_ms: number;
  readonly epoch: number;
  readonly done_at_ms: number;
}

const choreLeaseMs = 60_000;
/** The clock that a run's end was written by, and that of the server which removes it, may be so far apart. */
const widestDoubtMs = 40_000;

/** Reads every commit for what `docs/retention.md` says. */
export class RetentionAuditor {
  readonly #world: World;
  readonly #data: SimulatedData;
  readonly #runs: ReadonlyMap<RowId, RunRecord>;
  readonly #bounds: RetentionBounds;
  /** Somebody compacts by hand, at any time. */
  readonly #isByHand: boolean;
  readonly #chores = new Map<RowId, ChoreHead>();
  /** When runs ended, by the clock of the server that ended them. */
  readonly #ended = new Map<RowId, number>();
  readonly #compacted = new Set<RowId>();
  readonly #deleted = new Set<RowId>();

  constructor({ world, data, auditor }: Surroundings, bounds: RetentionBounds, isByHand: boolean) {
    this.#world = world;
    this.#data = data;
    this.#runs = auditor.runs;
    this.#bounds = bounds;
    this.#isByHand = isByHand;
  }

  read({ row, kind, head, entries }: Commit): void {
    if (kind === "chore") this.#chore(row, head as ChoreHead);
    const run = this.#runs.get(row);
    if (kind !== "run" || run === undefined) return;
    for (const { kind: what, at } of entries)
      if (isOver(what.slice("run/".length).toUpperCase())) this.#ended.set(row, at);
    const { payloadsMs = Infinity, runsMs = Infinity } = this.#bounds;
    if (run.compactedSeq > 0 && !this.#compacted.has(row)) {
      this.#compacted.add(row);
      if (!this.#isByHand) this.#mustBeOld(row, "compacted", Math.min(payloadsMs, runsMs));
    }
    if (run.deleted && !this.#deleted.has(row)) {
      this.#deleted.add(row);
      this.#mustBeOld(row, "deleted", runsMs);
    }
    this.#mustBeFindable(row, run);
  }

  #mustBeOld(row: RowId, what: string, boundMs: number): void {
    const age = this.#world.scheduler.now - (this.#ended.get(row) ?? Infinity);
    if (age + widestDoubtMs >= boundMs) return;
    this.#world.violated("only-at-rest-removed", `${row} was ${what} ${age} ms after its end, not ${boundMs}`);
  }

  /** A run at rest is found by whoever is to remove what it left. */
  #mustBeFindable(row: RowId, run: RunRecord): void {
    if (run.deleted || !isOver(run.status)) return;
    const isOpen =
      [...run.effects.values()].some(({ status }) => !isSettled(status)) ||
      [...run.obligations.values()].some(
        ({ status, dueAtOnce }) => status !== "COMPENSATED" && (dueAtOnce || status !== "PENDING"),
      );
    if (isOpen) return;
    const wanted =
      run.compactedSeq === run.seq ? [retireIndex] : [payloadsIndex, indexName(partitionOfRow(row), "compact")];
    const missing = wanted.find((index) => this.#data.index.of(index, row).length === 0);
    if (missing !== undefined) {
      this.#world.violated("index-never-too-few", `${row} is at rest, but has no key in ${missing}`);
    }
  }

  /** One server at a time does a chore, as far as clocks can tell. */
  #chore(row: RowId, head: ChoreHead): void {
    const before = this.#chores.get(row);
    this.#chores.set(row, head);
    const wrong = (why: string): void => {
      this.#world.violated("chore-in-turns", `${row}: ${why}`);
    };
    if (before === undefined) return;
    if (head.epoch < before.epoch) wrong(`epoch ${head.epoch} after ${before.epoch}`);
    if (head.done_at_ms < before.done_at_ms - widestDoubtMs) wrong("it was done, and now it was not");
    const isTaken = head.epoch !== before.epoch && head.owner !== "";
    if (isTaken && before.owner !== "" && before.expires_at_ms > head.expires_at_ms - choreLeaseMs) {
      wrong(`${head.owner} began while ${before.owner} was at it`);
    }
  }
}
