import type { Append } from "../../../src/store/store.ts";
import type { Complain } from "./run-entries.ts";
import { isOver, isSettled, type DeletedRunHead, type RunHead, type RunRecord } from "./run-record.ts";

/** What a commit takes away of a run: payloads of one that is at rest, or all but its outcome and its keys (R75). */
export function applyRemoval(
  run: RunRecord,
  head: RunHead | DeletedRunHead,
  { entries, trimBelow = 1, dropBodiesBelow = 1 }: Append,
  complain: Complain,
): void {
  if (head.kind === "deleted-run") {
    deletion(run, head, entries.length, complain);
    return;
  }
  if (run.deleted) complain("removed-stays-taken", `the run was deleted, and now it is ${head.status} again`);
  if (trimBelow > 1) complain("only-at-rest-removed", `entries before ${trimBelow} were removed, the run stays`);
  const compactedSeq = head.compacted?.seq ?? 0;
  if (dropBodiesBelow > compactedSeq + 1) {
    complain(
      "only-at-rest-removed",
      `payloads before ${dropBodiesBelow} are gone, the head says up to ${compactedSeq}`,
    );
  }
  if (compactedSeq < run.compactedSeq) {
    complain("row-equals-memory", `the run was compacted up to ${run.compactedSeq}, now up to ${compactedSeq}`);
  }
  if (compactedSeq > run.compactedSeq) mustBeAtRest(run, "compacted", complain);
  run.compactedSeq = compactedSeq;
}

function deletion(run: RunRecord, head: DeletedRunHead, entries: number, complain: Complain): void {
  if (!run.deleted) mustBeAtRest(run, "deleted", complain);
  else if (entries > 0) complain("removed-stays-taken", `${entries} entries were written to a run that was deleted`);
  run.deleted = true;
  run.head = null;
  const { status, seq, business_keys: keys } = head;
  if (status !== run.status || seq !== run.seq) {
    complain("removed-stays-taken", `what is left says ${status} at ${seq}, the run was ${run.status} at ${run.seq}`);
  }
  if (new Set(keys).size !== run.ownedKeys.size) {
    complain("removed-stays-taken", `${keys.length} business keys are kept, the run had ${run.ownedKeys.size}`);
  }
}

/** Only what is over and settled may go (R75). */
function mustBeAtRest(run: RunRecord, what: string, complain: Complain): void {
  const wrong = (why: string): void => {
    complain("only-at-rest-removed", `the run was ${what} though ${why}`);
  };
  if (!isOver(run.status)) wrong(`it is ${run.status}`);
  for (const { key, status } of run.effects.values()) if (!isSettled(status)) wrong(`effect ${key} is ${status}`);
  for (const { seq, status, dueAtOnce } of run.obligations.values()) {
    if (status !== "COMPENSATED" && (dueAtOnce || status !== "PENDING")) wrong(`obligation ${seq} is ${status}`);
  }
}
