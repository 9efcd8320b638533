import { partitionOf, reactionRow, rowKind, runIdOf, runRow, taskIdOf, taskRow } from "../../../src/codec/row-id.ts";
import type { RowId } from "../../../src/model/row.ts";
import type { Store } from "../../../src/store/store.ts";
import { reactionIds, startedApp } from "./journal.ts";

/** What is on each row of these kinds, without times and owners, which hang on when a server came by. */
export async function factsOf(store: Store, rows: Iterable<RowId>): Promise<ReadonlyMap<RowId, string>> {
  const facts = new Map<RowId, string>();
  for (const row of rows) {
    if (!["run", "task", "value", "session"].includes(rowKind(row))) continue;
    const slice = await store.read(row, { bodies: true });
    if (slice === null) continue;
    const head = JSON.parse(Buffer.from(slice.head).toString()) as { kind: string; status?: string };
    const entries = slice.entries.map(({ kind, body }) => `${kind}${body === undefined ? "" : "+"}`);
    facts.set(row, [head.kind, head.status ?? "", ...entries.toSorted()].join(" "));
  }
  return facts;
}

/** A task's row, and what it was made of. */
interface TaskOrigin {
  readonly reaction: RowId;
  readonly source: RowId;
  readonly seq: number;
}

const partition = partitionOf("");
const mostSeq = 40;

/** Of every row that a reaction may have made of entries of these rows: tasks, and runs that were started and exist. */
export function originsOf(sources: readonly RowId[], exists: (row: RowId) => boolean): ReadonlyMap<RowId, TaskOrigin> {
  const origins = new Map<RowId, TaskOrigin>();
  const from = (of: readonly RowId[]): readonly RowId[] => {
    const made: RowId[] = [];
    for (const reactionId of [...reactionIds, "starts"]) {
      const reaction = reactionRow(partition, reactionId);
      for (const source of of) {
        for (let seq = 1; seq <= mostSeq; seq += 1) {
          const taskId = taskIdOf(reactionId, source, seq);
          const origin = { reaction, source, seq };
          origins.set(taskRow(partition, taskId), origin);
          if (reactionId !== "starts") continue;
          const named = { tenantId: "", userId: "", sessionId: taskId, invocationId: taskId };
          const run = runRow(partition, runIdOf({ ...named, appName: startedApp }));
          origins.set(run, origin);
          if (exists(run)) made.push(run);
        }
      }
    }
    return made;
  };
  from(from(sources.filter((row) => ["run", "value", "session"].includes(rowKind(row)))));
  return origins;
}
