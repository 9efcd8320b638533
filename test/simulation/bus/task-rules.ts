import { claimMs, type Complain } from "../audit/run-entries.ts";
import { isFinal, type ReactionRecord, type TaskHead } from "./bus-record.ts";

/** How long servers claim what they start runs for. */
const startingMs = 10_000;
/** Pauses between attempts double up to this. */
const longestBackoffMs = 3_600_000;

/** When a claim was made, by the clock of the server that gave it. */
const takenAt = ({ owner, expires_at_ms: until }: NonNullable<TaskHead["claim"]>): number =>
  until - (owner.startsWith("server-") ? startingMs : claimMs);

/** Compares a task with what it was (R71). `doubtMs`: how far clocks may be beside each other. */
export function mayBecome(before: TaskHead, after: TaskHead, doubtMs: number, complain: Complain): void {
  const name = `${after.task_id} was ${before.status} after ${before.attempts} attempts, and became ${after.status} after ${after.attempts}`;
  const wrong = (why: string): void => {
    complain("task-table", `${name}: ${why}`);
  };
  if (isFinal(before) && (after.status !== before.status || after.attempts !== before.attempts)) wrong("it was over");
  const [had, has] = [before.claim, after.claim];
  const isAnother = had !== null && has?.id !== had.id;
  const failed = after.attempts - before.attempts;
  if (failed < 0 || failed > 1) wrong("attempts are counted one by one");
  if (failed === 1 && had === null) wrong("there was no attempt");
  if (isAnother && failed === 0 && after.status !== "DONE") wrong("the attempt does not count");
  if ((after.status === "CLAIMED") !== (has !== null)) wrong("the claim does not fit");
  if (has !== null && has.id !== had?.id) mayBeClaimed(before, after, has, complain);
  if (failed === 1 && after.status === "PENDING" && had !== null) {
    const pause = Math.min(
      after.retry_backoff_ms * 2 ** (after.attempts - 1),
      Math.max(after.retry_backoff_ms, longestBackoffMs),
    );
    const isExpired = after.last_error.endsWith(" expired");
    const isRight = isExpired
      ? after.next_attempt_at_ms === had.expires_at_ms + pause
      : after.next_attempt_at_ms >= takenAt(had) + pause - doubtMs;
    if (!isRight) wrong(`the next attempt comes at ${after.next_attempt_at_ms}, not ${pause} ms later`);
  }
  if (after.settled_by !== "" && after.settled_by !== before.settled_by && after.settled_by !== had?.owner) {
    wrong(`${after.settled_by} has settled what ${had?.owner ?? "nobody"} had claimed`);
  }
  mustFitLimits(after, wrong);
}

/** A claim is given when the one before has ended, and when the task is due. */
function mayBeClaimed(
  before: TaskHead,
  after: TaskHead,
  claim: NonNullable<TaskHead["claim"]>,
  complain: Complain,
): void {
  const held = before.claim;
  if (held !== null && held.expires_at_ms > takenAt(claim) && before.attempts === after.attempts) {
    complain("claim-is-exclusive", `${after.task_id} was claimed by ${claim.owner} while ${held.owner} held it`);
  }
  if (before.status === "PENDING" && before.next_attempt_at_ms > takenAt(claim)) {
    complain("task-table", `${after.task_id} was claimed by ${claim.owner} before it was due`);
  }
}

/** What workers say of an attempt that is to be the last one. */
export const lastAttempt = "hopeless";

/** Where failed attempts lead. */
function mustFitLimits(
  { status, attempts, retry_max, dlq_after_n, last_error }: TaskHead,
  wrong: (why: string) => void,
): void {
  const isDead = dlq_after_n > 0 && attempts >= dlq_after_n;
  const isUsedUp = retry_max > 0 && attempts > retry_max;
  if ((status === "PENDING" || status === "CLAIMED") && (isDead || isUsedUp)) wrong("it has had all its attempts");
  if (status === "FAILED" && !isUsedUp && last_error !== lastAttempt) wrong(`it may be tried ${retry_max} times again`);
  if (status === "DLQ" && !isDead) wrong(`it is dead after ${dlq_after_n} attempts`);
}

/** Never more claims at a time than the reaction ever allowed; `now` is what no clock is behind. */
export function mustKeepConcurrency({ id, revisions, tasks }: ReactionRecord, now: number, complain: Complain): void {
  const limits = revisions.map(({ head }) => head.max_concurrency);
  if (limits.includes(0)) return;
  const most = Math.max(...limits);
  let live = 0;
  for (const { claim } of tasks.values()) if (claim !== null && claim.expires_at_ms > now) live += 1;
  if (live > most) complain("limits-hold", `${live} tasks of ${id} are claimed at a time, ${most} may be`);
}

/** Never more handed out within a second than the reaction ever allowed. */
export function mustKeepRate({ id, revisions, flow }: ReactionRecord, complain: Complain): void {
  const limits = revisions.map(({ head }) => head.rate_limit_per_s);
  if (limits.includes(0)) return;
  const most = Math.max(...limits);
  for (const [from] of flow.handed_out) {
    const within = flow.handed_out.filter(([at]) => at >= from && at < from + 1000);
    const count = within.reduce((sum, [, each]) => sum + each, 0);
    if (count > most)
      complain("limits-hold", `${count} tasks of ${id} were handed out within a second, ${most} may be`);
  }
}
