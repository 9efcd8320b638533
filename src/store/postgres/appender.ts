import { TapeError } from "../../errors.ts";
import { toSqlText } from "../sql/sql-text.ts";
import { maxEntries, type Append, type AppendOutcome, type IndexKey } from "../store.ts";
import { bigintArray, byteaArray, textArray, utf8Array } from "./binary-array.ts";
import type { Connections } from "./connections.ts";
import { ordinalBits, type Statements } from "./statements.ts";

/** What the append statement answers. */
interface Written {
  /** The number of the transaction with the base added; 0 when the base must be raised first. */
  readonly xact: number;
  /** Indexes of the elements that were written. */
  readonly won: ReadonlySet<number>;
}

type FoundVersions =
  | { readonly kind: "versions"; readonly versions: ReadonlyMap<string, number> }
  | { readonly kind: "failed"; readonly cause: unknown };

/** Commits batches, each in one statement. */
export class Appender {
  readonly #connections: Connections;
  readonly #sql: Statements;
  readonly #raiseBase: () => Promise<void>;
  readonly #onCommit: () => void;

  /**
   * @param raiseBase See `feed-base.ts`; called when the journal has moved to another database.
   * @param onCommit Called after something was committed.
   */
  constructor(connections: Connections, sql: Statements, raiseBase: () => Promise<void>, onCommit: () => void) {
    this.#connections = connections;
    this.#sql = sql;
    this.#raiseBase = raiseBase;
    this.#onCommit = onCommit;
  }

  /** See {@link Store.append}. */
  async append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const parts = split(batch);
    const outcomes: AppendOutcome[] = [];
    for (const part of parts) {
      try {
        outcomes.push(...(await this.#write(part)));
      } catch (error) {
        if (outcomes.length === 0) throw error;
        // What stands before is written, so the call cannot reject; whoever asks again finds this part unwritten.
        outcomes.push(...part.map((): AppendOutcome => ({ kind: "unknown", cause: error })));
      }
    }
    return outcomes;
  }

  async #write(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    // Locks are taken in this order, by every server.
    const order = batch.map((_, i) => i).toSorted((a, b) => compareRows(batch[a], batch[b]));
    const sorted = order.flatMap((i) => batch[i] ?? []);
    const found = await this.#outcomes(sorted);
    const outcomes: AppendOutcome[] = Array.from(batch, () => ({ kind: "unknown", cause: undefined }));
    order.forEach((i, at) => {
      outcomes[i] = found[at] ?? { kind: "unknown", cause: undefined };
    });
    return outcomes;
  }

  async #outcomes(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    const doing = `writing to ${this.#connections.place}`;
    const drops = dropsOf(batch);
    const statement = drops.length === 0 ? this.#sql.append : this.#sql.appendAndDrop;
    const values = drops.length === 0 ? parametersOf(batch) : [...parametersOf(batch), ...dropParameters(drops)];
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#connections.write(statement, values, doing);
      if ("lost" in answer) return batch.map(() => ({ kind: "unknown", cause: answer.lost }));
      const { xact, won } = written(answer.lines[0]);
      if (xact > 0) {
        if (won.size > 0) this.#onCommit();
        return this.#settle(batch, xact, won);
      }
      if (tries > 1) throw new TapeError("STORE_CORRUPT", `${doing} failed: tape_meta is damaged; restore a backup`);
      await this.#raiseBase();
    }
  }

  async #settle(batch: readonly Append[], xact: number, won: ReadonlySet<number>): Promise<readonly AppendOutcome[]> {
    const lost = batch.filter((_, i) => !won.has(i));
    const found = await this.#versions(lost);
    let ordinal = 0;
    return batch.map(({ row, entries }, i): AppendOutcome => {
      ordinal += entries.length;
      if (!won.has(i)) {
        return found.kind === "versions"
          ? { kind: "conflict", version: found.versions.get(row) ?? 0 }
          : { kind: "unknown", cause: found.cause };
      }
      return { kind: "committed", position: entries.length === 0 ? 0 : positionOf(xact, ordinal - 1) };
    });
  }

  /** Where those rows are now: what the statement itself saw may be older than what it lost against. */
  async #versions(lost: readonly Append[]): Promise<FoundVersions> {
    if (lost.length === 0) return { kind: "versions", versions: new Map() };
    try {
      const rows = textArray(lost.map(({ row }) => row));
      const lines = await this.#connections.read(
        this.#sql.versions,
        [rows],
        `reading versions in ${this.#connections.place}`,
      );
      return { kind: "versions", versions: new Map(lines.map(([row, version]) => [String(row), Number(version)])) };
    } catch (cause) {
      return { kind: "failed", cause };
    }
  }
}

const positionOf = (xact: number, ordinal: number): number => xact * 2 ** ordinalBits + ordinal;

const compareRows = (a: Append | undefined, b: Append | undefined): number =>
  (a?.row ?? "") < (b?.row ?? "") ? -1 : 1;

function written(line: readonly unknown[] | undefined): Written {
  const [isHome, xact, won] = line ?? [];
  const numbers = Array.isArray(won) ? won.map((n: unknown) => Number(n) - 1) : [];
  return { xact: isHome === true ? Number(xact) : 0, won: new Set(numbers) };
}

/** Parts whose entries one transaction can order; an element is never divided. */
function split(batch: readonly Append[]): readonly (readonly Append[])[] {
  const parts: Append[][] = [];
  let part: Append[] = [];
  let count = 0;
  for (const append of batch) {
    count += append.entries.length;
    if (part.length === 0 || count > maxEntries) {
      part = [];
      parts.push(part);
      count = append.entries.length;
    }
    part.push(append);
  }
  return parts;
}

/** The parameters of the append statement, in its order; elements are numbered from 1, as SQL's ordinality does. */
function parametersOf(batch: readonly Append[]): readonly Buffer[] {
  // Deleting does not see what the same statement inserts, so what this append itself trims or drops is left out at once.
  let ordinal = -1;
  const entries = batch.flatMap((append, i) =>
    append.entries
      .map((entry) => ({ n: i + 1, entry, ordinal: (ordinal += 1) }))
      .filter(({ entry }) => entry.seq >= (append.trimBelow ?? 0)),
  );
  const bodies = entries.map(({ n, entry: { seq, body } }) =>
    seq < (batch[n - 1]?.dropBodiesBelow ?? 0) ? undefined : body,
  );
  const drop: Key[] = [];
  const add: Key[] = [];
  const trims: { readonly n: number; readonly below: number }[] = [];
  batch.forEach(({ index, trimBelow = 0 }, i) => {
    for (const key of index.add) add.push({ n: i + 1, key });
    // Both are seen to at once, so a key that is in both must not be removed.
    for (const key of index.remove) if (!includes(index.add, key)) drop.push({ n: i + 1, key });
    if (trimBelow > 1) trims.push({ n: i + 1, below: trimBelow });
  });
  return [
    textArray(batch.map(({ row }) => row)),
    bigintArray(batch.map(({ expect }) => expect)),
    textArray(batch.map(({ commitId }) => commitId)),
    utf8Array(batch.map(({ head }) => head)),
    bigintArray(entries.map(({ n }) => n)),
    bigintArray(entries.map(({ entry }) => entry.seq)),
    textArray(entries.map(({ entry }) => entry.kind)),
    textArray(entries.map(({ entry }) => toSqlText(entry.ref))),
    textArray(entries.map(({ entry }) => entry.dims)),
    textArray(entries.map(({ entry }) => entry.meta)),
    bigintArray(entries.map(({ entry }) => entry.at)),
    textArray(entries.map(({ entry }) => entry.trace)),
    byteaArray(bodies),
    ...keyArrays(drop),
    ...keyArrays(add),
    bigintArray(trims.map(({ n }) => n)),
    bigintArray(trims.map(({ below }) => below)),
    bigintArray(entries.map((entry) => entry.ordinal)),
  ];
}

/** Which bodies an element drops: those of entries from `first` on, below `below`. */
interface Drop {
  readonly n: number;
  readonly first: number;
  readonly below: number;
}

const dropsOf = (batch: readonly Append[]): readonly Drop[] =>
  batch.flatMap(({ trimBelow = 1, dropBodiesBelow = 0 }, i) =>
    dropBodiesBelow > Math.max(1, trimBelow) ? [{ n: i + 1, first: trimBelow, below: dropBodiesBelow }] : [],
  );

/** What the statement for drops takes beside {@link parametersOf}. */
const dropParameters = (drops: readonly Drop[]): readonly Buffer[] => [
  bigintArray(drops.map(({ n }) => n)),
  bigintArray(drops.map(({ first }) => first)),
  bigintArray(drops.map(({ below }) => below)),
];

interface Key {
  readonly n: number;
  readonly key: IndexKey;
}

const includes = (keys: readonly IndexKey[], wanted: IndexKey): boolean =>
  keys.some(({ index, key }) => index === wanted.index && key === wanted.key);

const keyArrays = (keys: readonly Key[]): readonly Buffer[] => [
  bigintArray(keys.map(({ n }) => n)),
  textArray(keys.map(({ key }) => key.index)),
  textArray(keys.map(({ key }) => key.key)),
];
