import { TapeError } from "../../errors.ts";
import type { AttentionItem, AttentionKind } from "../../model/inspect.ts";
import type { Tape } from "../../model/tape.ts";
import { shortKey } from "../text/advice.ts";
import { duration } from "../text/duration.ts";
import { plural } from "../text/money.ts";
import { shellWord } from "../text/shell-word.ts";
import type { CheckId } from "./check-ids.ts";
import { type Checkup, fail, type Finding, ok, untold, warn } from "./finding.ts";
import type { JournalScene } from "./journal-scene.ts";

/** Things that are overdue for longer than this are nobody's business any more. */
const overdueMs = 60_000;
const looked = 100;
const shown = 3;
/** Entries of a run that was begun a moment ago must be in the feed by then; Bigtable's lag is a second by default. */
const feedPatienceMs = 10_000;

/** The state of a journal in use: what waits for a person first, then what is overdue. Reads only. */
export function liveCheckup(scene: JournalScene): Checkup {
  return async function* (signal) {
    const looks: readonly (readonly [CheckId, () => Promise<Finding>])[] = [
      ["live.unknown", () => checkUnknown(scene)],
      ["live.stuck", () => checkStuck(scene)],
      ["live.recoverable", () => checkRecoverable(scene)],
      ["live.timers", () => checkTimers(scene)],
      ["live.dispatch", () => checkDispatch(scene)],
      ["live.compensation", () => checkCompensation(scene)],
      ["live.feed", () => checkFeed(scene, signal)],
    ];
    for (const [id, look] of looks) {
      if (signal.aborted) return;
      yield await look().catch((error: unknown) => {
        if (!(error instanceof TapeError)) throw error;
        return untold(id, error.message);
      });
    }
  };
}

async function checkUnknown({ tape, now, access }: JournalScene): Promise<Finding> {
  const id = "live.unknown";
  const items = await attention(tape, ["EFFECT_UNKNOWN"]);
  if (items.length === 0) return ok(id, "none");
  const oldest = `the oldest since ${duration(now - (items[0]?.sinceMs ?? now))}`;
  return warn(
    id,
    `${many(items, "effect")} UNKNOWN, ${oldest}: find out what happened, then say so`,
    items.slice(0, shown).map(({ run, effect }) => {
      const key = shortKey(run.runId, effect?.idempotencyKey ?? "");
      return `tape resolve ${shellWord(run.runId)} ${shellWord(key)} confirmed${access}   # or failed`;
    }),
  );
}

async function checkStuck({ tape, now, access }: JournalScene): Promise<Finding> {
  const id = "live.stuck";
  const items = await attention(tape, ["RUN_STUCK", "OBLIGATION_STUCK"]);
  if (items.length === 0) return ok(id, "none");
  const runs = new Set(items.map(({ run }) => run.runId));
  return fail(
    id,
    `${plural(runs.size, "run")} cannot go on without a person, the first since ${duration(now - (items[0]?.sinceMs ?? now))}`,
    [...runs].slice(0, shown).map((runId) => `tape show ${shellWord(runId)}${access}`),
  );
}

async function checkRecoverable({ tape, now, access }: JournalScene): Promise<Finding> {
  const id = "live.recoverable";
  const items = await attention(tape, ["RUN_RECOVERABLE"]);
  if (items.length === 0) return ok(id, `none for longer than ${duration(overdueMs)}`);
  return warn(
    id,
    `${many(items, "run")} ready to go on, and no agent takes them over, the first since ${duration(now - (items[0]?.sinceMs ?? now))}`,
    [
      "# start an agent that calls ListRunsToRecover and ResumeRun; one of them, or why it does not go on:",
      `tape show ${shellWord(items[0]?.run.runId ?? "")}${access}`,
    ],
  );
}

/** Something that somebody should have done by now. */
interface Due {
  readonly runId: string;
  /** Milliseconds since 1970. */
  readonly dueAtMs: number;
  /** Whose business it is: a kind, a connector. */
  readonly of: string;
}

async function checkTimers(scene: JournalScene): Promise<Finding> {
  const { timers } = await scene.tape.listDueTimers({ limit: looked });
  const due = timers.map(({ runId, fireAtMs, kind }) => ({ runId, dueAtMs: fireAtMs, of: kind }));
  return checkOverdue("live.timers", due, scene, {
    what: "timer",
    who: () =>
      "a server fires built-in kinds: one must run; others are for whoever calls ListDueTimers with claim=true",
  });
}

async function checkDispatch(scene: JournalScene): Promise<Finding> {
  const { effects } = await scene.tape.listEffectsToDispatch({ limit: looked });
  const due = effects.map(({ runId, nextDispatchAtMs, tsMs, connector }) => ({
    runId,
    dueAtMs: nextDispatchAtMs || tsMs,
    of: connector,
  }));
  return checkOverdue("live.dispatch", due, scene, {
    what: "outbox effect",
    who: (connectors) => `start a dispatcher for ${connectors}`,
  });
}

async function checkCompensation(scene: JournalScene): Promise<Finding> {
  const request = { limit: looked, includePending: true, includeCommittedExpired: true, includeStuck: false };
  const { obligations } = await scene.tape.listUnresolvedObligations(request);
  const due = obligations.map(({ runId, nextAttemptAtMs, claimExpiresAtMs, tsMs, kind }) => ({
    runId,
    dueAtMs: Math.max(nextAttemptAtMs, claimExpiresAtMs, tsMs),
    of: kind,
  }));
  return checkOverdue("live.compensation", due, scene, {
    what: "compensation",
    who: (kinds) => `start a worker that claims obligations of kind ${kinds}`,
  });
}

function checkOverdue(
  id: CheckId,
  due: readonly Due[],
  { now, access }: JournalScene,
  { what, who }: { readonly what: string; readonly who: (of: string) => string },
): Finding {
  const overdue = due.filter(({ dueAtMs }) => dueAtMs < now - overdueMs).toSorted((a, b) => a.dueAtMs - b.dueAtMs);
  const [first] = overdue;
  if (first === undefined) return ok(id, `none for longer than ${duration(overdueMs)}`);
  const of = [...new Set(overdue.map((one) => one.of))].join(", ");
  return warn(id, `${many(overdue, what)} overdue (${of}), the first since ${duration(now - first.dueAtMs)}`, [
    `# ${who(of)}`,
    `tape show ${shellWord(first.runId)}${access}`,
  ]);
}

/** The last entry of the newest run must be in the feed. */
async function checkFeed({ tape, now }: JournalScene, signal: AbortSignal): Promise<Finding> {
  const id = "live.feed";
  const { runs } = await tape.inspect.listRuns({ pageSize: 1 });
  const [run] = runs;
  if (run === undefined) return ok(id, "there are no runs yet");
  const patience = AbortSignal.any([signal, AbortSignal.timeout(feedPatienceMs)]);
  const fromTsMs = Math.max(1, run.startedAtMs - 1);
  try {
    for await (const entry of tape.subscribeEvents({ runId: run.runId, fromTsMs }, { signal: patience })) {
      if (entry.seq >= run.seqCursor)
        return ok(id, `the newest run (begun ${duration(now - run.startedAtMs)} ago) is in it to its last entry`);
    }
  } catch (error) {
    if (!patience.aborted) throw error;
  }
  return fail(
    id,
    `the last entry of ${run.runId} is committed, and not in the feed after ${duration(feedPatienceMs)}`,
    ["tape doctor   # names a transaction that holds it up, or clocks that are apart"],
  );
}

async function attention(tape: Tape, kinds: readonly AttentionKind[]): Promise<readonly AttentionItem[]> {
  const { items } = await tape.inspect.listAttention({ kinds, pageSize: looked, recoverableForMs: overdueMs });
  return items;
}

const many = (things: readonly unknown[], noun: string): string =>
  things.length === looked
    ? `${looked} ${noun}s or more are`
    : things.length === 1
      ? `1 ${noun} is`
      : `${things.length} ${noun}s are`;
