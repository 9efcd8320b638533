import type { AttentionItem, AttentionKind } from "../../model/inspect.ts";
import type { Seq } from "../../model/row.ts";
import { accept, type BodyLookup, type Decide } from "../row.ts";
import { recoverableSinceMs } from "./due.ts";
import type { RunEvent } from "./events.ts";
import { unknownSinceMs } from "./index-keys.ts";
import type { Run } from "./run.ts";
import { effectBodies, effectView, obligationBodies, obligationView, runView } from "./views.ts";

/* What one run contributes to the list of what a human must look at (R84). */

/** A kind that something can really be of. */
export type Need = Exclude<AttentionKind, "UNSPECIFIED">;

/** One thing that needs a human, without the payloads that are shown with it. */
export interface AttentionPart {
  readonly sinceMs: number;
  /** Tells the things of one run apart: where they begin in its journal; 0 for the run itself. */
  readonly seq: Seq;
  /** Entries whose bodies the view needs. */
  readonly seqs: readonly Seq[];
  readonly view: (bodies: BodyLookup) => AttentionItem;
}

/** Who asks, for what. */
export interface AttentionQuery {
  readonly kind: Need;
  /** Only what has needed a human since then. */
  readonly untilMs: number;
  /** Only runs of this tenant; `null`: of any. */
  readonly tenantId: string | null;
}

/** Everything of this kind in a run, longest waiting first. */
export const attention =
  ({ kind, untilMs, tenantId }: AttentionQuery): Decide<Run, RunEvent, readonly AttentionPart[]> =>
  (run, { now }) => {
    if (run.seq === 0 || (tenantId !== null && run.facts.tenantId !== tenantId)) return accept([], []);
    const parts = partsOf[kind](run, now).filter(({ sinceMs }) => sinceMs <= untilMs);
    return accept(
      [],
      parts.toSorted((a, b) => a.sinceMs - b.sinceMs || a.seq - b.seq),
    );
  };

const partsOf: Readonly<Record<Need, (run: Run, now: number) => readonly AttentionPart[]>> = {
  EFFECT_UNKNOWN: unknownEffects,
  RUN_STUCK: (run) => (run.status === "STUCK" ? [ofRun(run, "RUN_STUCK", run.stuckAtMs)] : []),
  OBLIGATION_STUCK: stuckObligations,
  RUN_RECOVERABLE: (run) => [ofRun(run, "RUN_RECOVERABLE", recoverableSinceMs(run))],
};

function ofRun(run: Run, kind: Need, sinceMs: number): AttentionPart {
  const item = { kind, sinceMs, run: runView(run) };
  return { sinceMs, seq: 0, seqs: [], view: () => item };
}

function unknownEffects(run: Run, now: number): readonly AttentionPart[] {
  const state = runView(run);
  return [...run.openEffects].flatMap((key): AttentionPart[] => {
    const effect = run.effects.get(key);
    const sinceMs = effect === undefined ? null : unknownSinceMs(effect);
    if (effect === undefined || sinceMs === null) return [];
    const view = effectView(run, effect, now);
    return [
      {
        sinceMs,
        seq: effect.seq,
        seqs: effectBodies(effect),
        view: (bodies) => ({ kind: "EFFECT_UNKNOWN", sinceMs, run: state, effect: view(bodies) }),
      },
    ];
  });
}

function stuckObligations(run: Run, now: number): readonly AttentionPart[] {
  const state = runView(run);
  return [...run.openObligations].flatMap((seq): AttentionPart[] => {
    const obligation = run.obligations.get(seq);
    if (obligation?.status !== "STUCK") return [];
    const { stuckAtMs: sinceMs } = obligation;
    const view = obligationView(run, obligation, now);
    return [
      {
        sinceMs,
        seq,
        seqs: obligationBodies(obligation),
        view: (bodies) => ({ kind: "OBLIGATION_STUCK", sinceMs, run: state, obligation: view(bodies) }),
      },
    ];
  });
}
