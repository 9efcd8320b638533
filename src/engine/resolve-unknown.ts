import { TapeError } from "../errors.ts";
import type { RowId } from "../model/row.ts";
import type { Append, AppendOutcome, Store } from "../store/store.ts";
import type { Clock } from "./clock.ts";

/** What became of an append. */
export type KnownOutcome = Exclude<AppendOutcome, { kind: "unknown" }>;

const firstPauseMs = 20;
const longestPauseMs = 1000;
const mostTries = 20;

/**
 * Finds out what became of an append whose answer was lost.
 *
 * The row says it: a commit id is kept with every version and every entry. When the row is still at the version the
 * append expected, the lost append may yet arrive; the very same append is then sent again, with the same commit id.
 * That is safe because both are conditional on that version: whichever comes first makes the other fail, and the
 * commit id tells that it was this one.
 *
 * An append without entries leaves nothing behind but the row's commit id. When several commits stand above what it
 * expected, nobody knows whether it was one of them: it is `refused` with STORE_UNAVAILABLE, because deciding its calls
 * again could let them count twice.
 *
 * Errors: STORE_UNAVAILABLE when the store cannot be asked. The write may still appear; a retry finds it (R9).
 */
export async function resolveUnknown(
  store: Store,
  append: Append,
  clock: Clock,
  cause: unknown,
): Promise<KnownOutcome> {
  let last = cause;
  let pause = firstPauseMs;
  const { signal } = new AbortController();
  for (let tries = 0; tries < mostTries; tries += 1) {
    try {
      const found = await lookUp(store, append);
      if (found !== null) return found;
      const [outcome] = await store.append([append]);
      if (outcome?.kind === "committed" || outcome?.kind === "refused") return outcome;
      // It lost: the next look says to whom. And most answers are lost once only.
      if (outcome?.kind === "conflict" || tries === 0) continue;
      last = outcome?.cause;
    } catch (error) {
      last = error;
    }
    await clock.sleep(pause, signal);
    pause = Math.min(pause * 2, longestPauseMs);
  }
  throw new TapeError(
    "STORE_UNAVAILABLE",
    "the store went away during a commit and could not be asked what became of it; try again: a retry finds what was written",
    { cause: last },
  );
}

/** What the row says about the append; `null` when it has not happened so far. */
async function lookUp(store: Store, { row, expect, commitId, entries }: Append): Promise<KnownOutcome | null> {
  const first = entries[0]?.seq;
  const slice = await store.read(row, first === undefined ? { limit: 0 } : { after: first - 1, limit: entries.length });
  const version = slice?.version ?? 0;
  if (version <= expect) return null;
  const mine = slice?.entries.find((entry) => entry.seq === first)?.commitId === commitId;
  if (mine || slice?.commitId === commitId) {
    return { kind: "committed", position: mine ? (slice?.entries.at(-1)?.position ?? 0) : 0 };
  }
  if (entries.length === 0 && version > expect + 1) return { kind: "refused", error: unknowable(row) };
  return { kind: "conflict", version };
}

const unknowable = (row: RowId): TapeError =>
  new TapeError(
    "STORE_UNAVAILABLE",
    `the answer to a commit on row ${row} was lost, and others have written the row since, so that nobody knows whether it was made; try again: a retry goes by what is there`,
    { ids: { row } },
  );
