import { TapeError } from "../../errors.ts";

/** What a guard asks, and where. */
export interface JournalGuardOptions {
  /** Where the journal is, in words. */
  readonly place: string;
  /** The identity of the journal that was opened. */
  readonly id: string;
  /** The identity of the one that is there now; undefined: there is none. Rejects with what the library rejects with. */
  readonly read: () => Promise<string | undefined>;
}

/**
 * Remembers which journal was opened. After a connection was lost, or a row is found older than it was, what answers may
 * be another journal: an emulator that began anew, tables made again by somebody else. Nothing is read or written then
 * before its identity is known to be the same.
 */
export class JournalGuard {
  readonly #options: JournalGuardOptions;
  /** Doubts so far, and those that were dispelled: a doubt that comes up while the journal is looked at stays. */
  #doubts = 0;
  #dispelled = 0;
  #checking: Promise<void> | undefined;

  constructor(options: JournalGuardOptions) {
    this.#options = options;
  }

  /** What answers from now on may not be what it was. */
  doubt(): void {
    this.#doubts += 1;
  }

  /** Errors: STORE_NOT_USABLE when this is not the journal that was opened; rejects when nobody answers. */
  async assure(): Promise<void> {
    while (this.#dispelled < this.#doubts) {
      this.#checking ??= this.#check().finally(() => {
        this.#checking = undefined;
      });
      await this.#checking;
    }
  }

  async #check(): Promise<void> {
    const { place, id, read } = this.#options;
    const doubts = this.#doubts;
    const found = await read();
    if (found !== id) throw lostJournal(place, id, found);
    this.#dispelled = doubts;
  }
}

/** The refusal to go on with a journal that is not the one it should be. */
export const lostJournal = (place: string, wanted: string, found: string | undefined): TapeError =>
  new TapeError(
    "STORE_NOT_USABLE",
    `journal ${wanted} is gone: ${place} holds ${found === undefined ? "none" : `another one, ${found}`}. Nothing is written over it: restore a backup, or, if the loss is meant, start the server anew`,
  );
