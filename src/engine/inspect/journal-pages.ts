import { decodeBody } from "../../codec/body.ts";
import { badToken, pageToken, positionIn } from "../../codec/page-token.ts";
import { runRow } from "../../codec/row-id.ts";
import { bodyFields } from "../../journal/run/body-fields.ts";
import { mustExist } from "../../journal/run/guard.ts";
import { runOfHead } from "../../journal/run/head.ts";
import { absentRun } from "../../journal/run/run.ts";
import { integer, pageSize, requiredId } from "../../journal/validate.ts";
import type { JournalRecord, ReadJournalRequest, ReadJournalResponse } from "../../model/inspect.ts";
import type { RowId } from "../../model/row.ts";
import type { StoredEntry } from "../../store/store.ts";
import { journalEntry } from "../journal-entry.ts";
import { fillPage } from "../page.ts";
import type { InspectPorts } from "./ports.ts";

/** Entries of the first read: with bodies each may be as large as a message. */
const firstBatch = { withBodies: 8, without: 64 };

/** ReadJournal (R83). Straight from the store, which has every acknowledged entry. */
export async function readJournal(
  { store, limits, partition }: InspectPorts,
  request: ReadJournalRequest,
): Promise<ReadJournalResponse> {
  const runId = requiredId("run_id", request.runId, limits);
  const bodies = request.includeBodies === true;
  const size = pageSize(request.pageSize, limits, "page_size");
  const fromSeq = Math.max(1, integer("from_seq", request.fromSeq));
  const name = JSON.stringify(["ReadJournal", partition, runId, bodies]);
  const after = seqIn(request.pageToken ?? "", name) ?? fromSeq - 1;
  const row = runRow(partition, runId);
  let run = absentRun();
  let read = after;
  const records = await fillPage<JournalRecord>({
    size,
    limits,
    firstBatch: bodies ? firstBatch.withBodies : firstBatch.without,
    read: async (_from, count) => {
      const slice = await store.read(row, { after: read, limit: count, bodies });
      if (slice !== null) run = runOfHead(slice.head, row);
      read = slice?.entries.at(-1)?.seq ?? read;
      return (slice?.entries ?? []).map((entry) => recordOf(entry, row));
    },
  });
  mustExist(run, runId);
  const last = records.at(-1)?.entry.seq ?? after;
  return { records, nextPageToken: last < run.seq && records.length > 0 ? pageToken(name, [last]) : "" };
}

function seqIn(token: string, name: string): number | null {
  const position = positionIn(token, name);
  if (position === null) return null;
  const [seq] = position;
  if (position.length !== 1 || typeof seq !== "number" || seq < 0) throw badToken();
  return seq;
}

function recordOf(entry: StoredEntry, row: RowId): JournalRecord {
  const { body, kind, seq } = entry;
  const texts = body === undefined ? [] : decodeBody(body, `entry ${seq} of row ${row}`);
  return { entry: journalEntry(entry), bodies: bodyFields(kind, texts) };
}
