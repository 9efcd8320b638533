import type { Answer, Operation } from "../history.ts";
import {
  seqSaid,
  stays,
  unwritable,
  type EffectState,
  type Of,
  type RunInput,
  type RunModelState,
} from "./run-state.ts";
import { isRepeat, put, says, withRequest } from "./says.ts";
import { decidedIn, known, later, viewsOf } from "./time.ts";

/* Outbox effects and who may dispatch them: R20, R23 to R26, R28. */

type EffectCall = Of<"intend" | "claim" | "attempt" | "complete" | "reconcile" | "getEffect">;

/** One way in which an effect may stand when a call is decided. */
interface View {
  readonly effect: EffectState;
  readonly isLive: boolean;
  /** What everybody is told: UNKNOWN from the instant that a claim on what may not be repeated has expired (R25). */
  readonly status: EffectState["status"];
}

/** Every call on an effect. */
export function onEffect(
  run: RunModelState,
  operation: Operation<RunInput>,
  input: EffectCall,
): readonly RunModelState[] {
  const effect = run.effects[input.effect];
  if (effect === undefined)
    return input.call === "intend" ? intend(run, operation, input) : absent(run, operation, input);
  return viewsOf(effect.claim, decidedIn(operation)).flatMap(({ isLive, hold }) => {
    const isInDoubt = effect.status === "PENDING" && hold !== null && !isLive && !effect.idempotent;
    const view: View = { effect: { ...effect, claim: hold }, isLive, status: isInDoubt ? "UNKNOWN" : effect.status };
    return answered(run, operation, input, view);
  });
}

function absent(run: RunModelState, operation: Operation<RunInput>, input: EffectCall): readonly RunModelState[] {
  const refusal = unwritable(run, undefined);
  if (refusal !== null) return stays(run, operation, refusal);
  if (input.call === "getEffect") return stays(run, operation, { found: false });
  const refused = input.call === "complete" ? "EFFECT_NOT_BEGUN" : "EFFECT_NOT_FOUND";
  return stays(run, operation, { refused });
}

/** BeginEffect of an outbox effect: there is one of a key (R20). */
function intend(
  run: RunModelState,
  operation: Operation<RunInput>,
  { effect, idempotent }: Of<"intend">,
): readonly RunModelState[] {
  const refusal = unwritable(run, undefined);
  if (refusal !== null) return stays(run, operation, refusal);
  if (run.status === "CANCELLED") return stays(run, operation, { refused: "RUN_ENDED", status: run.status });
  const seq = run.seq + 1;
  const made = { idempotent, seq, status: "PENDING", claim: null, attempts: 0, error: "", response: "" } as const;
  const next: RunModelState = { ...run, seq, effects: put(run.effects, effect, made) };
  return says(operation, { status: "PENDING", response: "", ...seqSaid(next, seq) }) ? [next] : [];
}

function answered(
  run: RunModelState,
  operation: Operation<RunInput>,
  input: EffectCall,
  view: View,
): readonly RunModelState[] {
  const { effect, status } = view;
  switch (input.call) {
    case "intend":
      return says(operation, { status, response: effect.response, ...seqSaid(run, effect.seq) })
        ? [withEffect(run, input, effect)]
        : [];
    case "getEffect":
      return seen(run, operation, input, view, { found: true });
    case "claim":
      return claim(run, operation, input, view);
    case "attempt":
      return attempt(run, operation, input, view);
    case "complete":
    case "reconcile":
      return settle(run, operation, input, view);
    default:
      return input satisfies never;
  }
}

const withEffect = (
  run: RunModelState,
  input: EffectCall,
  effect: EffectState,
  entries: number = 0,
): RunModelState => ({
  ...run,
  seq: run.seq + entries,
  effects: put(run.effects, input.effect, effect),
});

/** An answer that shows the effect as it stands. */
function seen(
  run: RunModelState,
  operation: Operation<RunInput>,
  input: EffectCall,
  { effect, isLive, status }: View,
  more: Answer,
  entries: number = 0,
): readonly RunModelState[] {
  const live = isLive ? effect.claim : null;
  const { attempts, error, response } = effect;
  const fields = { status, attempts, error, response, claimer: live?.by ?? "", ...more };
  if (!says(operation, fields)) return [];
  if (live === null) return says(operation, { expiresAtMs: 0 }) ? [withEffect(run, input, effect, entries)] : [];
  const ends = known(live.ends, operation.answer?.["expiresAtMs"]);
  return ends === null ? [] : [withEffect(run, input, { ...effect, claim: { by: live.by, ends } }, entries)];
}

function claim(
  run: RunModelState,
  operation: Operation<RunInput>,
  input: Of<"claim">,
  view: View,
): readonly RunModelState[] {
  const { effect, isLive, status } = view;
  const isHeld = isLive && effect.claim?.by !== input.claimer;
  if (status === "PENDING" && !isHeld) {
    const ends = later(decidedIn(operation), input.ttlMs);
    const claimed = { ...effect, claim: { by: input.claimer, ends } };
    // A renewal writes no entry.
    const entries = isLive ? 0 : 1;
    return seen(run, operation, input, { effect: claimed, isLive: true, status }, { acquired: true }, entries);
  }
  return seen(run, operation, input, writtenDown(view), { acquired: false });
}

/** A call that may write writes down that a claim has expired. */
const writtenDown = (view: View): View => {
  const { effect, status } = view;
  return status === effect.status ? view : { isLive: false, status, effect: { ...effect, status, claim: null } };
};

function attempt(
  run: RunModelState,
  operation: Operation<RunInput>,
  input: Of<"attempt">,
  view: View,
): readonly RunModelState[] {
  const { effect, isLive } = view;
  if (isRepeat(run.requests, input.requestId)) return seen(run, operation, input, view, {});
  const holder = isLive ? (effect.claim?.by ?? "") : "";
  if (holder !== input.claimer) {
    return says(operation, { refused: "CLAIM_HELD", holder }) ? [withEffect(run, input, effect)] : [];
  }
  const status = input.inDoubt ? "UNKNOWN" : "PENDING";
  const ended: EffectState = { ...effect, status, claim: null, attempts: effect.attempts + 1, error: input.error };
  const remembered = { ...run, requests: withRequest(run.requests, input.requestId) };
  return seen(remembered, operation, input, { effect: ended, isLive: false, status }, {}, 1);
}

/** CompleteEffect and ReconcileEffect. */
function settle(
  run: RunModelState,
  operation: Operation<RunInput>,
  input: Of<"complete" | "reconcile">,
  view: View,
): readonly RunModelState[] {
  const { effect, status } = view;
  const isOpen = status === "PENDING" || status === "UNKNOWN";
  const maySettle =
    input.call === "reconcile"
      ? isOpen
      : status === "PENDING" || (status === "UNKNOWN" && input.status !== "UNKNOWN" && effect.idempotent);
  if (!maySettle) return seen(run, operation, input, writtenDown(view), {});
  const settled: EffectState = { ...effect, status: input.status, claim: null, response: input.response };
  const after: View = { effect: settled, isLive: false, status: input.status };
  return seen(run, operation, input, after, {}, 1);
}
