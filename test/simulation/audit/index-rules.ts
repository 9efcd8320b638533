import { indexName, partitionOfRow, tickIndex } from "../../../src/codec/row-id.ts";
import { timeOfKey } from "../../../src/codec/time-key.ts";
import type { SimulatedIndex } from "../world/simulated-index.ts";
import type { Complain } from "./run-entries.ts";
import { isOver, newestOpen, type EffectRecord, type RunRecord } from "./run-record.ts";

/** How much later than due the server itself fires a built-in timer (R46). */
const graceMs = 1000;
/** Indexes whose keys tell when runs began. */
const newestFirst: ReadonlySet<string> = new Set(["live", "runs"]);
const builtIn: ReadonlySet<string> = new Set(["gate_timeout", "redrive"]);

/** Whatever somebody has to do with a run, the run is found by it, in time. */
export function mustBeFindable(run: RunRecord, index: SimulatedIndex, complain: Complain): void {
  const { row, head } = run;
  if (head === null) return;
  const need = (why: string, atMs: number, name: string, ...more: readonly string[]): void => {
    const full = name === tickIndex ? name : indexName(partitionOfRow(row), name, ...more);
    const found = index.of(full, row).some((key) => newestFirst.has(name) || timeOfKey(key) <= atMs);
    if (!found) complain("index-never-too-few", `${row} is ${why}, but has no key in ${full} for that`);
  };
  if (head.status === "RUNNABLE") need("RUNNABLE", head.runnable_at_ms, "recover");
  if (head.status === "RUNNING" && head.lease !== null) need("leased", head.lease.expires_at_ms, "recover");
  need("listed", 0, "runs");
  need("listed by its app", 0, "runs", "app", head.app);
  need(`listed as ${head.status}`, 0, "runs", "status", head.status);
  if (!isOver(head.status)) need("live", 0, "live", head.app, head.user, head.session);
  for (const effect of run.effects.values()) mustFindEffect(effect, need);
  for (const obligation of run.obligations.values()) {
    const { status, dueAtOnce, at, nextAttemptAtMs, seq } = obligation;
    const isNext = head.status === "COMPENSATING" && newestOpen(run) === obligation;
    if (status !== "COMPENSATED" && (dueAtOnce || isNext || status === "STUCK")) {
      need(`bound by obligation ${seq}`, Math.max(at, nextAttemptAtMs), "compensate");
    }
  }
  for (const [id, { state, kind, fireAtMs }] of run.timers) {
    if (state !== "set") continue;
    need(`waiting for timer ${id}`, fireAtMs, "timer");
    if (builtIn.has(kind)) need(`waiting for timer ${id}`, fireAtMs + graceMs, tickIndex);
  }
}

function mustFindEffect(
  effect: EffectRecord,
  need: (why: string, atMs: number, name: string, ...more: readonly string[]) => void,
): void {
  const { key, status, mode, semantics, claim, at, connector, nextDispatchAtMs } = effect;
  if (status === "UNKNOWN") need(`in doubt about ${key}`, Infinity, "reconcile");
  if (status !== "PENDING") return;
  if (mode === "INLINE") {
    need(`in the middle of ${key}`, at, "reconcile");
  } else if (claim === null || semantics !== "NON_IDEMPOTENT") {
    const due = claim?.until ?? (nextDispatchAtMs || at);
    need(`to dispatch ${key}`, due, "dispatch");
    need(`to dispatch ${key}`, due, "dispatch", connector);
  } else {
    need(`dispatching ${key}`, claim.until, tickIndex);
    // Clocks may disagree: by the clock of its claim it may be in doubt before it began.
    need(`dispatching ${key}`, Math.max(claim.until, at), "reconcile");
  }
}
