import { bytes, patternBytes } from "./material.ts";

/** Entries in each append of the process that gets killed, so that a torn one shows. */
export const crashEntriesPerVersion = 3;

/** The head that a row must have at a version. */
export const crashHead = (row: string, version: number): Uint8Array => bytes(JSON.stringify({ row, version }));

/** The body that an entry must have: some stand in the row, some beside it. */
export const crashBody = (row: string, seq: number): Uint8Array => patternBytes((seq * 997) % 7000, row.length + seq);
