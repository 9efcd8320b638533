import { randomBytes } from "node:crypto";
import { TapeError } from "../../errors.ts";
import { newest, column, setCell } from "./cells.ts";
import type { Keys } from "./keys.ts";
import type { Table } from "./table.ts";

/** The times that the feed's order rests on, milliseconds. All servers of a journal must go by the same ones. */
export interface JournalTimes {
  /** How far readers of the feed stay behind now. */
  readonly lagMs: number;
  /** How long after its time a feed key may be written. */
  readonly windowMs: number;
  /** How far a clock may be from the service's. Two clocks differ by twice that at most. */
  readonly skewMs: number;
}

/** What the journal's own row says. */
export interface Journal {
  /** Random, made with the journal: another one has another history. */
  readonly id: string;
  readonly times: JournalTimes;
}

/** Lag of the feed of a new journal: enough for clocks that are a quarter of a second off and calls of 400 ms. */
export const defaultLagMs = 1000;
/** The format of a journal. */
export const formatVersion = 1;

const columnsOf = { id: "id", format: "format", lag: "feedLagMs", created: "created" } as const;

/** A key that is written in its window is there before any reader looks: window and two skews are less than the lag. */
const timesOf = (lagMs: number): JournalTimes =>
  Object.freeze({ lagMs, windowMs: Math.floor(lagMs * 0.4), skewMs: Math.floor(lagMs * 0.25) });

/** Reads the journal's own row; undefined: there is none. Errors: FORMAT_NEWER, STORE_CORRUPT. */
export async function readJournal(table: Table, keys: Keys, place: string): Promise<Journal | undefined> {
  const [row] = await table.read({ keys: [keys.meta], filter: newest() });
  const text = (name: string): string => row?.cells.get(name)?.toString("utf8") ?? "";
  const id = text(columnsOf.id);
  if (id === "") return undefined;
  const found = Number(text(columnsOf.format));
  if (found > formatVersion) {
    throw new TapeError(
      "FORMAT_NEWER",
      `the journal in ${place} has format ${found}, this Tape knows up to ${formatVersion}; update Tape`,
    );
  }
  const lagMs = Number(text(columnsOf.lag));
  if (found !== formatVersion || !Number.isSafeInteger(lagMs) || lagMs <= 0) {
    throw new TapeError("STORE_CORRUPT", `the journal in ${place}: its row ${keys.meta} is damaged; restore a backup`);
  }
  return { id, times: timesOf(lagMs) };
}

/** Makes the journal's own row, unless another server is faster. */
export async function createJournal(table: Table, keys: Keys, lagMs: number, now: number): Promise<void> {
  await table.changeIf({
    key: keys.meta,
    predicate: newest(column(columnsOf.id)),
    unmatched: [
      setCell(columnsOf.id, randomBytes(12).toString("base64url")),
      setCell(columnsOf.format, String(formatVersion)),
      setCell(columnsOf.lag, String(lagMs)),
      setCell(columnsOf.created, new Date(now).toISOString()),
    ],
  });
}
