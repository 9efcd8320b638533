import type { BudgetState } from "../model/budget.ts";
import type { DecisionRecord } from "../model/decision.ts";
import type { EffectRecord } from "../model/effect.ts";
import type { ObligationRecord } from "../model/obligation.ts";
import type { JournalEntry, RunState } from "../model/run.ts";
import type { Tape } from "../model/tape.ts";
import { Fields } from "./text/fields.ts";

/** All that `tape show` says about a run, as of one moment each. */
export interface RunReport {
  readonly run: RunState;
  /** The journal up to the moment when the run was read. */
  readonly entries: readonly JournalEntry[];
  /** In the order in which they began. */
  readonly effects: readonly ReportedEffect[];
  /** In the order in which they were promised. */
  readonly obligations: readonly ObligationRecord[];
  readonly gates: readonly ReportedGate[];
  readonly timers: readonly ReportedTimer[];
  readonly budget: BudgetState;
}

/** An effect without its payloads. */
export interface ReportedEffect extends Omit<EffectRecord, "runId" | "requestJson" | "responseJson" | "errorJson"> {
  /** What became of the last attempt; empty when nothing went wrong. */
  readonly lastDispatchError: string;
}

/** What the model was asked and said, and what tools were asked and answered: JSON texts, as large as they are. */
export interface RunPayloads {
  readonly decisions: readonly DecisionRecord[];
  readonly effects: readonly EffectRecord[];
}

/** A wait at a gate, or a signal that came before it. */
interface ReportedGate {
  readonly gate: string;
  readonly occurrence: number;
  readonly status: string;
  /** When it became so: server's clock, milliseconds since 1970. */
  readonly sinceMs: number;
}

/** A timer. */
interface ReportedTimer {
  readonly timerId: string;
  readonly kind: string;
  readonly status: "SET" | "FIRED" | "CANCELLED";
  /** Milliseconds since 1970. */
  readonly fireAtMs: number;
}

/** Reads a run through the calls that every client has. Errors: RUN_NOT_FOUND, and all of a connection. */
export async function readRun(tape: Tape, runId: string): Promise<RunReport> {
  const run = await tape.getRun({ runId });
  const entries = await readJournal(tape, run);
  // A budget has no call of its own to be read; asking whether nothing fits gives it away and changes nothing (R36).
  const [obligations, { budget }] = await Promise.all([tape.listObligations({ runId }), tape.admitBudget({ runId })]);
  return {
    run,
    entries,
    effects: await readEffects(tape, runId, entries),
    obligations: obligations.obligations.toReversed(),
    gates: fold(entries, "gate", (fields) => `${fields.number("occurrence")}/${fields.text("gate")}`, gateOf),
    timers: fold(entries, "timer", (fields) => fields.text("timer_id"), timerOf),
    budget,
  };
}

/** Reads the payloads of a run, which may be many megabytes. */
export async function readPayloads(tape: Tape, { run: { runId }, entries, effects }: RunReport): Promise<RunPayloads> {
  const indices = fold(
    entries,
    "decision",
    (fields) => fields.text("decision_index"),
    (_entry, fields) => fields.number("decision_index"),
  );
  const payloads: { decisions: DecisionRecord[]; effects: EffectRecord[] } = { decisions: [], effects: [] };
  for (const decisionIndex of indices) {
    const { decision } = await tape.getDecision({ runId, decisionIndex });
    if (decision !== undefined) payloads.decisions.push(decision);
  }
  for (const { idempotencyKey } of effects) {
    const { effect } = await tape.getEffect({ runId, idempotencyKey });
    if (effect !== undefined) payloads.effects.push(effect);
  }
  return payloads;
}

async function readJournal(tape: Tape, run: RunState): Promise<JournalEntry[]> {
  const entries: JournalEntry[] = [];
  if (run.seqCursor === 0) return entries;
  for await (const entry of tape.subscribeRun({ runId: run.runId })) {
    entries.push(entry);
    // A live run would go on for ever.
    if (entry.seq >= run.seqCursor) break;
  }
  return entries;
}

/** Settled effects are in the journal; how an open one stands, only the server knows: its claim may have expired (R25). */
async function readEffects(tape: Tape, runId: string, entries: readonly JournalEntry[]): Promise<ReportedEffect[]> {
  const told = fold(entries, "effect", (fields) => fields.text("idempotency_key"), effectOf);
  return Promise.all(
    told.map(async (effect) => {
      if (effect.status !== "PENDING" && effect.status !== "UNKNOWN") return effect;
      const { effect: now } = await tape.getEffect({ runId, idempotencyKey: effect.idempotencyKey });
      if (now === undefined) return effect;
      const { runId: _run, requestJson: _request, responseJson: _response, errorJson: _error, ...rest } = now;
      return rest;
    }),
  );
}

/** What became of each thing of a kind, by its key, in the order in which they came up. */
function fold<Thing>(
  entries: readonly JournalEntry[],
  kind: string,
  keyOf: (fields: Fields) => string,
  next: (entry: JournalEntry, fields: Fields, before: Thing | undefined) => Thing,
): Thing[] {
  const things = new Map<string, Thing>();
  for (const entry of entries) {
    if (entry.kind !== kind) continue;
    const fields = new Fields(entry.payloadJson);
    const key = keyOf(fields);
    things.set(key, next(entry, fields, things.get(key)));
  }
  return [...things.values()];
}

function effectOf(entry: JournalEntry, fields: Fields, before: ReportedEffect | undefined): ReportedEffect {
  return {
    seq: before?.seq ?? entry.seq,
    tsMs: before?.tsMs ?? entry.tsMs,
    decisionIndex: fields.number("decision_index"),
    toolName: fields.text("tool"),
    idempotencyKey: fields.text("idempotency_key"),
    // Written by the rules themselves, so within the closed lists.
    status: fields.text("status") as EffectRecord["status"],
    semantics: fields.text("semantics") as EffectRecord["semantics"],
    dispatchMode: fields.text("dispatch_mode") as EffectRecord["dispatchMode"],
    businessKey: fields.text("business_key"),
    connector: fields.text("connector"),
    scope: fields.text("scope"),
    dispatchAttempts: fields.number("dispatch_attempts") || (before?.dispatchAttempts ?? 0),
    lastDispatchError: fields.text("error") || (before?.lastDispatchError ?? ""),
    externalRef: fields.text("external_ref") || (before?.externalRef ?? ""),
    nextDispatchAtMs: 0,
    dispatchClaimedBy: "",
    dispatchClaimExpiresAtMs: 0,
  };
}

function gateOf({ tsMs }: JournalEntry, fields: Fields): ReportedGate {
  const [gate, occurrence, status] = [fields.text("gate"), fields.number("occurrence"), fields.text("status")];
  return { gate, occurrence, status, sinceMs: tsMs };
}

function timerOf(entry: JournalEntry, fields: Fields): ReportedTimer {
  const [, , , verb = ""] = entry.subject.split("/");
  const status = verb === "fired" ? "FIRED" : verb === "cancelled" ? "CANCELLED" : "SET";
  return { timerId: fields.text("timer_id"), kind: fields.text("kind"), status, fireAtMs: fields.number("fire_at_ms") };
}
