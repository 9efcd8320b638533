import type { Finding } from "../model/finding.ts";

/** The checks of databases, by id, with what each asks. */
export const storeChecks = {
  "sqlite.filesystem": "Does the file lie on a disk of this machine, which keeps what it has confirmed?",
  "sqlite.space": "Is there room on the disk?",
  "sqlite.durability": "Does SQLite confirm only what is on the disk?",
  "sqlite.integrity": "Is the file undamaged?",
  "sqlite.log": "Is the write-ahead log folded back into the file?",
  "postgres.server": "Which server is it, and is it new enough?",
  "postgres.primary": "Can it be written?",
  "postgres.durability": "Does the server confirm only what is on the disk?",
  "postgres.horizon": "Does an open transaction keep the feed, or the removal of old row versions, from going on?",
  "postgres.pooler": "Does a pooler stand in between, and does the store URL say so?",
  "postgres.connections": "Does the server have connections left for this pool?",
  "bigtable.emulator": "Is it the service, and not an emulator?",
  "bigtable.rows": "How near are the largest rows to the limit?",
  "spanner.experimental": "Is this more than an experiment?",
  "spanner.emulator": "Is it the service, and not an emulator?",
  "store.clock": "Does this machine's clock agree with the store's?",
} as const;

/** Name of a check of a database. */
export type StoreCheckId = keyof typeof storeChecks;

/** What a database says of itself to whoever runs it, beside the port. Connects by itself and writes nothing. */
export interface StoreExamination {
  /** The place, whether or not there is a journal in it. */
  readonly place: Examine;
  /** A journal that is there. */
  readonly journal: Examine;
  /** The state of a journal that is in use: what takes longer to look at. */
  readonly live: Examine;
}

/** Yields each finding as soon as it is known. What cannot be reached is a finding too. */
type Examine = (signal: AbortSignal) => AsyncIterable<Finding<StoreCheckId>>;

/** For databases of which there is nothing to say. */
export const nothingToSay: StoreExamination = Object.freeze({ place: nothing, journal: nothing, live: nothing });

async function* nothing(): AsyncIterable<never> {}
