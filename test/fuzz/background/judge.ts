import { isDeepStrictEqual } from "node:util";
import { reactionRow, partitionOf, rowKind, taskIdOf, taskRow } from "../../../src/codec/row-id.ts";
import { isDamage } from "../../../src/engine/damaged-rows.ts";
import { eventEntry } from "../../../src/engine/journal-entry.ts";
import type { RowId } from "../../../src/model/row.ts";
import { rpcMethods } from "../../../src/rpc/rpc-methods.ts";
import type { FeedEntry } from "../../../src/store/store.ts";
import { wrong } from "../target.ts";
import { damagedEntry, type RowDamage } from "./damaged-store.ts";
import type { originsOf } from "./facts.ts";
import type { Journal } from "./journal.ts";
import type { Play, Seen } from "./play.ts";

/** A play, and what the rows were after it. */
export interface Outcome {
  readonly journal: Journal;
  readonly played: Play;
  readonly facts: ReadonlyMap<RowId, string>;
}

type Item = Readonly<Record<string, unknown>>;

const partition = partitionOf("");
const nameOf = (row: RowId): string => row.slice(row.lastIndexOf("/") + 1);
/** The reaction that a row of its kind, of its shards or of its limits is about. */
const reactionOf = (row: RowId): RowId | undefined =>
  rowKind(row).startsWith("reaction") ? reactionRow(partition, row.split("/")[2] ?? "") : undefined;

/** Compares what a server did over damaged rows with what one does over the same rows when they are whole. */
export class Judge {
  readonly #whole: Outcome;
  readonly #found: Outcome;
  readonly #damaged: ReadonlyMap<RowId, RowDamage>;
  readonly #origins: ReturnType<typeof originsOf>;
  readonly #touched = new Map<RowId, boolean>();

  constructor(
    whole: Outcome,
    found: Outcome,
    damaged: ReadonlyMap<RowId, RowDamage>,
    origins: ReturnType<typeof originsOf>,
  ) {
    this.#whole = whole;
    this.#found = found;
    this.#damaged = damaged;
    this.#origins = origins;
  }

  /** Throws what is wrong. Gives whether anybody was told. */
  check(): string {
    this.#checkRows();
    this.#checkMatching();
    this.#checkFeed();
    for (const [name, seen] of this.#found.played.streams) this.#checkStream(name, seen);
    for (const [name, error] of this.#found.played.failures) {
      // A bit within an id makes another id.
      const isMistaken = name.startsWith("claim ") && this.#hasFlipped("task");
      if (!isMistaken && (!isDamage(error) || !this.#namesDamage(error.message)))
        wrong(`${name}: ${error.reason}: ${error.message}`);
    }
    this.#checkTold();
    const errors = this.#errors();
    for (const [row, damage] of this.#damaged) {
      if (this.#mustBeSeen(row, damage) && !errors.some((text) => text.includes(row)))
        wrong(`nobody is told of ${row}`);
    }
    return errors.length === 0 ? "unseen" : "told";
  }

  /** Rows that are whole, and that nothing damaged made, are what they would be. */
  #checkRows(): void {
    const isChore = this.#hasChore();
    // Without the chore nothing is removed.
    const kept = (facts: string): string => (isChore ? facts.replaceAll("+", "") : facts);
    for (const [row, facts] of this.#whole.facts) {
      if (this.#isTouched(row) || (isChore && facts.startsWith("deleted"))) continue;
      const found = this.#found.facts.get(row) ?? "nothing";
      if (kept(found) !== kept(facts)) wrong(`${this.#about(row)} is "${found}" instead of "${facts}"`);
    }
    for (const row of this.#found.facts.keys()) {
      const isMistaken = !this.#origins.has(row) && this.#hasFlipped("reaction");
      if (!this.#whole.facts.has(row) && !this.#isTouched(row) && !isMistaken)
        wrong(`${this.#about(row)} should not be there`);
    }
  }

  #about(row: RowId): string {
    const origin = this.#origins.get(row);
    return origin === undefined ? row : `${row}, of ${origin.reaction} on entry ${origin.seq} of ${origin.source},`;
  }

  /** Entries that are whole are matched also when something else of their row is damaged. */
  #checkMatching(): void {
    for (const entry of this.#whole.journal.feed) {
      const damage = this.#damaged.get(entry.row);
      if (damage !== undefined && !isDeepStrictEqual(damagedEntry(entry, damage), [entry])) continue;
      const task = taskRow(partition, taskIdOf("late", entry.row, entry.seq));
      if (!this.#found.facts.has(task)) wrong(`entry ${entry.seq} of ${entry.row} was not matched`);
    }
  }

  /** The feed has every entry, in its order; a damaged one as it is stored. */
  #checkFeed(): void {
    // Where entries are in the feed, a real store says for each journal of its own.
    const before = this.#found.journal.feed;
    const stored = before.flatMap((entry) => {
      const damage = this.#damaged.get(entry.row);
      return damage === undefined ? [entry] : damagedEntry(entry, damage);
    });
    const isOfValue = ({ subject, payloadJson }: Item): boolean =>
      String(subject).startsWith("/tape/value/") && hasVersion(String(payloadJson));
    for (const [name, isWanted] of [
      ["subscribeEvents", () => true],
      ["subscribeBySubject", isOfValue],
    ] as const) {
      const { items, error } = this.#found.played.streams.get(name) ?? wrong(`${name} was not open`);
      if (error !== undefined) wrong(`${name} ended: ${error.reason}: ${error.message}`);
      const expected = stored.map(asEvent).filter(isWanted);
      for (const [i, event] of expected.entries()) {
        if (!isSame(items[i], event) || items[i]?.["globalSeq"] !== event["globalSeq"])
          wrong(`${name}: ${JSON.stringify(items[i])} in place of ${JSON.stringify(event)}`);
      }
      const later = (outcome: Outcome): string[] =>
        (outcome.played.streams.get(name)?.items ?? [])
          .slice(
            outcome === this.#whole ? this.#whole.journal.feed.map(asEvent).filter(isWanted).length : expected.length,
          )
          .filter((item) => !this.#isOfTouched(item))
          .map(({ runId, seq, kind, subject }) => `${String(runId)} ${String(seq)} ${String(kind)} ${String(subject)}`)
          .map((text) => text.replace(/ \d+ (timer|gate|effect)/, " $1"))
          .toSorted();
      const [whole, found] = [later(this.#whole), later(this.#found)];
      if (!isDeepStrictEqual(found, whole)) wrong(`${name} has later: ${difference(found, whole)}`);
    }
  }

  #isOfTouched({ runId, subject }: Item): boolean {
    const names = new Set([...String(subject).split("/"), String(runId)]);
    for (const [row, isTouched] of this.#touched) if (isTouched && names.has(nameOf(row))) return true;
    return [...this.#damaged.keys()].some((row) => names.has(nameOf(row)));
  }

  /** The stream of a row: all of it, or as much as there is before an error that names the row. */
  #checkStream(name: string, { items, error }: Seen): void {
    const [rpc, about] = name.split(" ");
    if (about === undefined) return;
    const row = this.#whole.journal.rows.find((one) => nameOf(one) === about) ?? wrong(`no row of ${about}`);
    const whole = this.#whole.played.streams.get(name)?.items ?? [];
    const damage = this.#damaged.get(row);
    if (error !== undefined) {
      if (damage === undefined) wrong(`${name} ended, though its row is whole: ${error.reason}: ${error.message}`);
      if (!isDamage(error) || !error.message.includes(row))
        wrong(`${name} ended with ${error.reason}: ${error.message}`);
    }
    const before = this.#whole.journal.feed.filter((entry) => entry.row === row);
    const known = before.filter(({ seq }) => rpc === "subscribeRun" || seq > 1).length;
    if (error === undefined && items.length < known) wrong(`${name} gave ${items.length} of ${known} entries`);
    for (const [i, item] of items.slice(0, known).entries()) {
      const isStored = damage !== undefined && (damage.seq === i + 1 || (rpc === "watchValue" && damage.seq <= i + 2));
      if (isSame(item, whole[i])) continue;
      // What is not JSON any more, or has another version, is noticed in a value; elsewhere entries go as they are stored.
      const mayDiffer = isStored && damage.part !== "entry" && (rpc === "subscribeRun" || damage.change === "flip");
      const mayDifferInTime =
        isStored && damage.part === "at" && isSame({ ...item, value: null }, { ...whole[i], value: null });
      if (!mayDiffer && !mayDifferInTime)
        wrong(`${name}: ${JSON.stringify(item)} in place of ${JSON.stringify(whole[i])}`);
    }
    if (damage === undefined && items.length !== whole.length)
      wrong(`${name}: ${items.length} items, not ${whole.length}`);
  }

  /** An operator is told what is damaged, by name, and the same thing once. */
  #checkTold(): void {
    const before = new Set<string>();
    for (const [what, text] of this.#found.played.told) {
      const told = `${what}: ${text}`;
      if (before.has(told)) wrong(`told more than once: ${told}`);
      before.add(told);
      const [kind = "", reactionId = ""] = what.split(" ").slice(-2);
      const isOfReaction = [...this.#damaged.keys()].some(
        (row) => reactionOf(row) !== undefined && row.split("/")[2] === nameOf(reactionId as RowId),
      );
      const isOfEntry = kind === "predicate" && [...this.#damaged.values()].some(({ part }) => part !== "head");
      if (!isOfEntry && !isOfReaction && !this.#namesDamage(text)) wrong(`told of what is whole: ${told}`);
    }
  }

  #namesDamage(text: string): boolean {
    return [...this.#damaged.keys()].some((row) => text.includes(row));
  }

  #errors(): readonly string[] {
    const { told, failures, streams } = this.#found.played;
    return [
      ...told.map(([, text]) => text),
      ...Array.from(failures.values(), ({ message }) => message),
      ...Array.from(streams.values(), ({ error }) => error?.message ?? ""),
    ].filter((text) => text !== "");
  }

  /** Whether a server has a way to tell, and a reason to look. */
  #mustBeSeen(row: RowId, { part, change, head }: RowDamage): boolean {
    const kind = rowKind(row);
    // Nobody looks at what a damaged row would lead to, and who looks at all rows is a chore.
    const reaction = this.#origins.get(row)?.reaction ?? reactionOf(row);
    if (reaction !== undefined && (this.#hasChore() || this.#hasOther(row, reaction))) return false;
    // A started run is found by its first entry, its only one.
    if (part === "entry" && reaction !== undefined) return false;
    if (part === "entry") return kind === "run" || kind === "session" || kind === "value";
    return part === "head" && (change !== "flip" || head !== undefined);
  }

  #hasOther(row: RowId, reaction: RowId): boolean {
    return [...this.#damaged.keys()].some((other) => other !== row && reactionOf(other) === reaction);
  }

  #hasFlipped(kind: string): boolean {
    return [...this.#damaged].some(([row, { change }]) => rowKind(row) === kind && change === "flip");
  }

  #hasChore(): boolean {
    return [...this.#damaged.keys()].some((row) => rowKind(row) === "chore");
  }

  /** Whether a row is damaged, or made of something that is. */
  #isTouched(row: RowId): boolean {
    const known = this.#touched.get(row);
    if (known !== undefined) return known;
    const isTouched = this.#damaged.has(row) || this.#isOfDamage(row);
    this.#touched.set(row, isTouched);
    return isTouched;
  }

  #isOfDamage(row: RowId): boolean {
    const origin = this.#origins.get(row);
    if (origin === undefined) return false;
    const { reaction, source, seq } = origin;
    if ([...this.#damaged.keys()].some((damaged) => reactionOf(damaged) === reaction)) return true;
    if (this.#isTouched(source)) return true;
    return rowKind(row) === "run" && this.#isTouched(taskRow(partition, taskIdOf(nameOf(reaction), source, seq)));
  }
}

/** An entry of the feed as a client has it. */
function asEvent(entry: FeedEntry): Item {
  const { response } = rpcMethods.subscribeEvents;
  const event = eventEntry(entry);
  return { ...response.decode(response.encode({ ...event, tsMs: Number.isSafeInteger(event.tsMs) ? event.tsMs : 0 })) };
}

/** A time that cannot be one is given in some way, and places in the feed are the store's. */
const isSame = (a: Item | undefined, b: Item | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  isDeepStrictEqual({ ...a, tsMs: 0, globalSeq: 0 }, { ...b, tsMs: 0, globalSeq: 0 });

function hasVersion(payloadJson: string): boolean {
  try {
    const { version } = JSON.parse(payloadJson) as { version?: unknown };
    return typeof version === "number" && version > 0;
  } catch {
    return false;
  }
}

const difference = (found: readonly string[], whole: readonly string[]): string =>
  JSON.stringify({
    more: found.filter((text) => !whole.includes(text)).slice(0, 3),
    less: whole.filter((text) => !found.includes(text)).slice(0, 3),
  });
