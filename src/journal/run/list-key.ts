import { indexPath } from "../../codec/row-id.ts";
import { sha256 } from "../../codec/hash.ts";
import { newestFirstKey } from "../../codec/time-key.ts";
import type { RunFacts, Status } from "./run.ts";

/*
 * The lists of runs, newest first: one key a run in the list of all, in that of its app and in that of its status. The
 * first two never change; the third moves when the status does. The key is the same in all three: the time of the start,
 * inverted, so that ascending bytes are newest first, and then a mark for each thing that runs are also looked for by.
 * What no list is kept of (a session, or an app within a status) is thus found by reading keys, without reading rows.
 */

/** What a key tells apart. */
export type Marked = Pick<RunFacts, "tenantId" | "appName" | "userId" | "sessionId">;

const marked = ["tenantId", "appName", "userId", "sessionId"] as const satisfies readonly (keyof Marked)[];
/** 18 bits: of 262,144 other names one looks the same, and the row tells the two apart. */
const markLength = 3;
const timeLength = newestFirstKey(0).length;

/** Name of the index of all runs, without the partition. */
export const allRunsIndex: string = indexPath("runs");
/** Name of the index of all runs of an app. */
export const appIndex = (appName: string): string => indexPath("runs", "app", appName);
/** Name of the index of all runs that have this status. */
export const statusIndex = (status: Status): string => `runs/status/${status}`;

const markOf = (text: string): string => sha256(text).slice(0, markLength);

/** The key of a run. */
export const listKeyOf = (facts: Marked & Pick<RunFacts, "startedAtMs">): string =>
  newestFirstKey(facts.startedAtMs) + marked.map((name) => markOf(facts[name])).join("");

/** What keys of such runs have: `null` for what does not matter. All that have it may be such runs. */
export function keyFilter(wanted: { readonly [Name in keyof Marked]: string | null }): (key: string) => boolean {
  const marks = marked.flatMap((name, i) => {
    const text = wanted[name];
    return text === null ? [] : [{ at: timeLength + i * markLength, mark: markOf(text) }];
  });
  return (key) => marks.every(({ at, mark }) => key.startsWith(mark, at));
}

/** Whether a text has the shape of a key. */
export const isListKey = (text: string): boolean => /^\d{16}[A-Za-z0-9_-]{12}$/.test(text);

/** The range of keys of runs that were started from `fromMs` on and before `beforeMs`; 0: not bounded. */
export const keyRange = (fromMs: number, beforeMs: number): { readonly from?: string; readonly to?: string } => ({
  ...(beforeMs > 0 ? { from: newestFirstKey(beforeMs - 1) } : {}),
  ...(fromMs > 0 ? { to: newestFirstKey(fromMs - 1) } : {}),
});
