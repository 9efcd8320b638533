import type { BudgetState } from "../../model/budget.ts";
import type { GateRecord, GetRunDetailResponse } from "../../model/inspect.ts";
import type { RunState } from "../../model/run.ts";
import type { Seq } from "../../model/row.ts";
import { accept, bodyText, type BodyLookup, type Decide } from "../row.ts";
import type { RunEvent } from "./events.ts";
import { mustExist } from "./guard.ts";
import { effectStatusAt, type Gate, type Run } from "./run.ts";
import { budgetView, effectBodies, effectView, obligationBodies, obligationView, runView, timerView } from "./views.ts";

/* Everything that belongs to a run, as one commit left it; payloads, which never change, are read afterwards (R82). */

/** The lists of a run's detail, in their order. */
const sections = ["effects", "obligations", "gates", "timers"] as const;

/** Where a thing stands: its list, and the entry by which it began. */
export interface DetailPlace {
  readonly section: number;
  readonly seq: Seq;
}

/** One thing of a run, without its payloads. */
export interface DetailPart extends DetailPlace {
  readonly isOpen: boolean;
  /** Entries whose bodies the view needs. */
  readonly seqs: readonly Seq[];
  readonly view: (bodies: BodyLookup) => DetailLists;
}

/** The lists of a page, or what one thing adds to them. */
export type DetailLists = Partial<Pick<GetRunDetailResponse, (typeof sections)[number]>>;

/** A run with a part of what belongs to it. */
export interface RunDetail {
  readonly run: RunState;
  readonly leaseEpoch: number;
  readonly budget: BudgetState;
  /** Entries of which the last one that has a body holds the detail of the run's end. */
  readonly endings: readonly Seq[];
  readonly parts: readonly DetailPart[];
  /** Whether there is something behind these. */
  readonly more: boolean;
}

/** Which part of what belongs to a run. */
export interface DetailQuery {
  readonly runId: string;
  readonly openOnly: boolean;
  /** Only what stands behind it. */
  readonly after: DetailPlace;
  readonly limit: number;
}

/** For GetRunDetail. */
export const runDetail =
  ({ runId, openOnly, after, limit }: DetailQuery): Decide<Run, RunEvent, RunDetail> =>
  (run, { now }) => {
    mustExist(run, runId);
    const wanted = [...effects(run, now), ...obligations(run, now), ...gates(run), ...timers(run)].filter(
      (part) => isBehind(part, after) && (part.isOpen || !openOnly),
    );
    return accept([], {
      run: runView(run),
      leaseEpoch: run.epoch,
      budget: budgetView(run),
      endings: run.endings,
      parts: wanted.slice(0, limit),
      more: wanted.length > limit,
    });
  };

const isBehind = (place: DetailPlace, other: DetailPlace): boolean =>
  place.section === other.section ? place.seq > other.seq : place.section > other.section;

const inOrder = (parts: readonly DetailPart[]): readonly DetailPart[] => parts.toSorted((a, b) => a.seq - b.seq);

function effects(run: Run, now: number): readonly DetailPart[] {
  return Array.from(run.effects.values(), (effect): DetailPart => {
    const status = effectStatusAt(effect, now);
    const view = effectView(run, effect, now);
    return {
      section: sections.indexOf("effects"),
      seq: effect.seq,
      isOpen: status === "PENDING" || status === "UNKNOWN",
      seqs: effectBodies(effect),
      view: (bodies) => ({ effects: [view(bodies)] }),
    };
  });
}

function obligations(run: Run, now: number): readonly DetailPart[] {
  return Array.from(run.obligations.values(), (obligation): DetailPart => {
    const view = obligationView(run, obligation, now);
    return {
      section: sections.indexOf("obligations"),
      seq: obligation.seq,
      isOpen: obligation.status !== "COMPENSATED",
      seqs: obligationBodies(obligation),
      view: (bodies) => ({ obligations: [view(bodies)] }),
    };
  });
}

function gates(run: Run): readonly DetailPart[] {
  return inOrder(Array.from(run.gates, ([name, gate]) => occurrences(run.facts.runId, name, gate)).flat());
}

function occurrences(runId: string, gateName: string, { waits, answers, answeredAtMs }: Gate): DetailPart[] {
  const numbers = new Set([...waits.keys(), ...answers.map((_, i) => i + 1)]);
  return Array.from(numbers, (occurrence): DetailPart => {
    const wait = waits.get(occurrence);
    const answer = answers[occurrence - 1];
    const status: GateRecord["status"] =
      answer === undefined ? "WAITING" : wait === undefined ? "SIGNALLED" : "RELEASED";
    const seqs = [wait?.seq, answer].filter((seq) => seq !== undefined);
    const known = {
      runId,
      gateName,
      occurrence,
      status,
      waitingSinceMs: wait?.at ?? 0,
      signalledAtMs: answeredAtMs[occurrence - 1] ?? 0,
    };
    return {
      section: sections.indexOf("gates"),
      seq: Math.min(...seqs),
      isOpen: status !== "RELEASED",
      seqs,
      view: (bodies) => ({
        gates: [
          {
            ...known,
            payloadJson: bodyText(bodies, wait?.seq ?? 0, 0),
            resolutionJson: bodyText(bodies, answer ?? 0, 0),
          },
        ],
      }),
    };
  });
}

/** Without those that were cancelled: they are no timers of the run any more. */
function timers(run: Run): readonly DetailPart[] {
  const { runId } = run.facts;
  const kept = [...run.timers.values()].filter(({ state }) => state !== "cancelled");
  return inOrder(
    kept.map((timer) => ({
      section: sections.indexOf("timers"),
      seq: timer.seq,
      isOpen: timer.state === "set",
      seqs: [timer.seq],
      view: (bodies) => ({ timers: [timerView(runId, timer, bodies)] }),
    })),
  );
}
