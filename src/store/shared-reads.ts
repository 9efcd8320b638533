import { TapeError } from "../errors.ts";

/** What is read in one call. */
interface Batch<A, T> {
  readonly asked: A[];
  readonly found: Promise<readonly T[]>;
}

/** How things are read together, and how many one call takes. */
export interface SharedReadsOptions<A, T> {
  /** An answer for each, in their order, as of a moment after the call. The same thing may be asked for twice. */
  readonly readAll: (asked: readonly A[]) => Promise<readonly T[]>;
  readonly most: number;
}

/**
 * Reads of many rows. One commit makes many look at once whether their rows are as they were: every shard of every reaction
 * at its own, a list at all that it names. Those that are asked for in one turn go in one call.
 */
export class SharedReads<A, T> {
  readonly #options: SharedReadsOptions<A, T>;
  /** Not sent yet, and with room. */
  #next: Batch<A, T> | undefined;

  constructor(options: SharedReadsOptions<A, T>) {
    this.#options = options;
  }

  /** As of a moment after the question. Errors: those of reading; what is damaged is an error for who asked for it alone. */
  async read(ask: A): Promise<T> {
    const { readAll, most } = this.#options;
    const { asked, found } = (this.#next ??= this.#begin());
    const place = asked.push(ask) - 1;
    if (asked.length >= most) this.#next = undefined;
    // As many answers as questions.
    try {
      return (await found)[place] as T;
    } catch (error) {
      const isCorrupt = error instanceof TapeError && error.reason === "STORE_CORRUPT";
      if (!isCorrupt || asked.length === 1) throw error;
      return (await readAll([ask]))[0] as T;
    }
  }

  #begin(): Batch<A, T> {
    const asked: A[] = [];
    return { asked, found: this.#send(asked) };
  }

  async #send(asked: readonly A[]): Promise<readonly T[]> {
    await endOfTurn();
    if (this.#next?.asked === asked) this.#next = undefined;
    return this.#options.readAll(asked);
  }
}

/** What is asked for until then goes in one call. */
const endOfTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });
