import { dirname } from "node:path";
import type { Random } from "../../../src/testing/random.ts";
import type { Operation } from "./recording.ts";

/**
 * What was still in the memory of machine and disk when the power failed, and what became of it.
 *
 * `nothing` of it was kept; `everything`, as when only the process dies; `torn`: everything but the end of the last
 * write; `scattered`: any sectors of any writes, in no order, and sizes of files before what is in them.
 */
export type Survival = "nothing" | "everything" | "torn" | "scattered";

export const survivals: readonly Survival[] = ["nothing", "everything", "torn", "scattered"];

/** A disk keeps or loses bytes by the sector; what stands beside them in it stays as it was. */
const sectorBytes = 512;

type Change = Extract<Operation, { readonly kind: "write" | "truncate" }>;

/** A file, whatever it is called. */
interface Inode {
  /** As of its last sync. */
  durable: Buffer;
  /** Since then. */
  pending: Change[];
}

interface Naming {
  readonly name: string;
  /** `undefined`: it was removed. */
  readonly inode: Inode | undefined;
}

/** Files by path, as they may be found when the power is back. */
export type Image = ReadonlyMap<string, Buffer>;

/** A disk that knows what it was told to keep: the strictest one that POSIX allows. */
export class Disk {
  /** As the process sees it. */
  readonly #names = new Map<string, Inode>();
  /** As of the last sync of the folder. */
  readonly #durableNames = new Map<string, Inode>();
  /** Since then; a file system keeps their order. */
  #pendingNames: Naming[] = [];

  /** Does what the process did. */
  apply(operation: Operation): void {
    if (operation.kind === "mark" || operation.path.endsWith(".marks") || operation.path.endsWith("-shm")) return;
    const { path } = operation;
    switch (operation.kind) {
      case "create":
        this.#name(path, { durable: Buffer.alloc(0), pending: [] });
        break;
      case "unlink":
        this.#name(path, undefined);
        break;
      case "write":
      case "truncate":
        this.#names.get(path)?.pending.push(operation);
        break;
      case "sync":
        this.#sync(path);
        break;
    }
  }

  /** How many changes a power failure could undo. */
  get unsafe(): number {
    return [...this.#names.values()].reduce((sum, { pending }) => sum + pending.length, this.#pendingNames.length);
  }

  /** What may be found if the power fails now. */
  image(survival: Survival, random: Random): Image {
    const names = new Map(this.#durableNames);
    const kept = { nothing: 0, torn: this.#pendingNames.length, everything: this.#pendingNames.length };
    const count = survival === "scattered" ? random.int(this.#pendingNames.length + 1) : kept[survival];
    for (const { name, inode } of this.#pendingNames.slice(0, count)) {
      if (inode === undefined) names.delete(name);
      else names.set(name, inode);
    }
    return new Map(Array.from(names, ([name, inode]) => [name, contentOf(inode, survival, random)]));
  }

  #name(name: string, inode: Inode | undefined): void {
    if (inode === undefined) this.#names.delete(name);
    else this.#names.set(name, inode);
    this.#pendingNames.push({ name, inode });
  }

  #sync(path: string): void {
    const inode = this.#names.get(path);
    if (inode !== undefined) {
      inode.durable = changed(inode.durable, inode.pending);
      inode.pending = [];
      return;
    }
    // Not one of its files, so the folder itself.
    for (const { name, inode: named } of this.#pendingNames.filter((one) => dirname(one.name) === path)) {
      if (named === undefined) this.#durableNames.delete(name);
      else this.#durableNames.set(name, named);
    }
    this.#pendingNames = this.#pendingNames.filter(({ name }) => dirname(name) !== path);
  }
}

function contentOf({ durable, pending }: Inode, survival: Survival, random: Random): Buffer {
  switch (survival) {
    case "nothing":
      return durable;
    case "everything":
      return changed(durable, pending);
    case "torn": {
      const last = pending.at(-1);
      const parts = last?.kind === "write" ? sectorsOf(last) : [];
      return changed(durable, [...pending.slice(0, -1), ...parts.slice(0, random.int(parts.length + 1))]);
    }
    case "scattered": {
      const odds = random.pick([0.1, 0.5, 0.9]);
      const parts = pending.flatMap((change): readonly Change[] =>
        change.kind === "write" ? sectorsOf(change) : [change],
      );
      const content = changed(
        durable,
        parts.filter(() => random.chance(odds)),
      );
      // The size of a file is kept apart from what is in it.
      const missing = changed(durable, pending).length - content.length;
      return missing > 0 && random.chance(0.3) ? Buffer.concat([content, Buffer.alloc(missing)]) : content;
    }
  }
}

type Write = Extract<Change, { readonly kind: "write" }>;

function sectorsOf({ path, offset, data }: Write): readonly Write[] {
  const sectors: Write[] = [];
  for (let from = 0; from < data.length;) {
    const to = Math.min(data.length, from + sectorBytes - ((offset + from) % sectorBytes));
    sectors.push({ kind: "write", path, offset: offset + from, data: data.subarray(from, to) });
    from = to;
  }
  return sectors;
}

/** A copy with these changes, in their order; what a file has gained is zero. */
function changed(content: Buffer, changes: readonly Change[]): Buffer {
  const lengths = [content.length];
  for (const change of changes) lengths.push(lengthAfter(lengths.at(-1) ?? 0, change));
  const whole = Buffer.alloc(Math.max(...lengths));
  content.copy(whole);
  for (const change of changes) {
    if (change.kind === "write") change.data.copy(whole, change.offset);
    else whole.fill(0, change.length);
  }
  return whole.subarray(0, lengths.at(-1));
}

const lengthAfter = (length: number, change: Change): number =>
  change.kind === "truncate" ? change.length : Math.max(length, change.offset + change.data.length);
