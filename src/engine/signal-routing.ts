import type { Partition } from "../codec/row-id.ts";
import { TapeError } from "../errors.ts";
import { hasEnded, type Run } from "../journal/run/run.ts";
import { accept, type Decide } from "../journal/row.ts";
import type { ScanItem, Store } from "../store/store.ts";
import type { RunEvent } from "../journal/run/events.ts";
import { runRules } from "../journal/run/rules.ts";
import { DamagedRows } from "./damaged-rows.ts";
import type { Pipeline } from "./pipeline.ts";
import { plainCall, type Call } from "./row-slot.ts";

const scanPage = 64;

/** Which run a signal without a run id is for. */
export interface SignalQuery {
  readonly partition: Partition;
  /** The live runs of the session, newest first. */
  readonly index: string;
  readonly names: { readonly appName: string; readonly userId: string; readonly sessionId: string };
  readonly gate: string;
  readonly call: Call;
}

interface Candidate {
  readonly runId: string;
  readonly live: boolean;
  readonly waits: boolean;
  /** It took this very request before. */
  readonly took: boolean;
}

const unreadable: Candidate = { runId: "", live: false, waits: false, took: false };

/** The run of a session that a signal is for (R42). Errors: RUN_NOT_FOUND. */
export async function findSignalled(pipeline: Pipeline, store: Store, query: SignalQuery): Promise<string> {
  const { partition, index, gate, call } = query;
  const look: Decide<Run, RunEvent, Candidate> = (run) =>
    accept([], {
      runId: run.facts.runId,
      live: run.seq > 0 && !hasEnded(run.status),
      waits: run.waiting?.gate === gate,
      took: call.requestHash !== "" && run.requests.includes(call.requestHash),
    });
  let newest: string | undefined;
  let waiting: string | undefined;
  const damaged = new DamagedRows();
  let after: ScanItem | undefined;
  do {
    const page = await store.scan(index, { after, limit: scanPage });
    const candidates = await Promise.all(
      page.items.map(({ row }) => {
        const target = { row, partition, rules: runRules };
        return damaged.skip(pipeline.execute(target, look, plainCall), unreadable);
      }),
    );
    const took = candidates.find((candidate) => candidate.took);
    if (took !== undefined) return took.runId;
    waiting ??= candidates.find((candidate) => candidate.live && candidate.waits)?.runId;
    newest ??= candidates.find((candidate) => candidate.live)?.runId;
    after = page.next;
  } while (after !== undefined);
  // The one that waits may be one that cannot be read: the signal must not go to another for that.
  if (waiting === undefined) damaged.check(0);
  const found = waiting ?? newest;
  if (found !== undefined) return found;
  const { appName, userId, sessionId } = query.names;
  throw new TapeError(
    "RUN_NOT_FOUND",
    `no live run of session ${sessionId} of user ${userId} in app ${appName} can take the signal`,
    {
      ids: { app_name: appName, user_id: userId, session_id: sessionId },
    },
  );
}
