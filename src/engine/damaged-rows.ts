import { TapeError } from "../errors.ts";

/**
 * Rows of a list that cannot be read: damaged ones, and on an old server those that a newer one has written. A list goes
 * on without them, because one bad row must not keep the others from whoever works on them; only when there is nothing
 * else in it does it say what is wrong. Whoever asks for such a row itself is always told.
 */
export class DamagedRows {
  #first: TapeError | undefined;

  /** What was asked of a row, or `otherwise` when the row cannot be read. Rejects with every other error. */
  async skip<T, Otherwise>(asked: Promise<T>, otherwise: Otherwise): Promise<T | Otherwise> {
    try {
      return await asked;
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.#first ??= error;
      return otherwise;
    }
  }

  /** Errors: STORE_CORRUPT, FORMAT_NEWER when nothing was found but rows that cannot be read. */
  check(found: number): void {
    if (found === 0 && this.#first !== undefined) throw this.#first;
  }
}

/** Whether an error is of stored data that cannot be read: damaged, or of a newer Tape. */
export const isDamage = (error: unknown): error is TapeError =>
  error instanceof TapeError && (error.reason === "STORE_CORRUPT" || error.reason === "FORMAT_NEWER");
