import { check, type SequentialModel, type Stand, type Verdict } from "./checker.ts";
import type { Input, Operation } from "./history.ts";
import { withoutLoneRequests } from "./models/says.ts";
import type { History } from "./round.ts";

/** The end of a history, from a moment at which everything the object could be is known. */
export interface Excerpt {
  /** Every stand possible at its beginning, after all calls left out. */
  readonly from: readonly Stand<unknown>[];
  readonly operations: readonly Operation[];
  /** The one whose answer cannot be, by its place in `operations`. */
  readonly culprit: number;
}

/** Judges one history. */
export function judge({ kind, operations }: History): Verdict<unknown> {
  return check(kind.model, withoutLoneRequests(operations));
}

/**
 * The smallest excerpt that is wrong by itself: the call whose answer cannot be, and what was under way at the same time, without
 * calls that only look. Nothing is left out that could explain it: what came before is in the stands, what came after
 * the answer cannot be its reason.
 */
export function smallestExcerpt(history: History, verdict: Extract<Verdict<unknown>, { kind: "violation" }>): Excerpt {
  const { model } = history.kind;
  const operations = withoutLoneRequests(history.operations);
  const wrong = operations[verdict.culprit];
  if (wrong?.returned === undefined) throw new RangeError("the culprit of a violation was answered");
  const { invoked: start, returned: end } = wrong;
  const kept = operations.flatMap((operation, place) => {
    const { invoked, returned = Infinity } = operation;
    return invoked > end || returned < start ? [] : [{ place, operation }];
  });
  const places = kept.map(({ place }) => place);
  const excerpt: Excerpt = {
    from: verdict.stands.map(({ state, applied }) => ({
      state,
      applied: applied.map((place) => places.indexOf(place)),
    })),
    operations: kept.map(({ operation }) => operation),
    culprit: places.indexOf(verdict.culprit),
  };
  return withoutLooks(model, excerpt);
}

/** Leaves out every call that changes nothing as long as the rest is wrong without it. */
function withoutLooks(model: SequentialModel<unknown, Input>, excerpt: Excerpt): Excerpt {
  for (let place = excerpt.operations.length - 1; place >= 0; place -= 1) {
    const operation = excerpt.operations[place];
    if (operation?.answer === undefined || place === excerpt.culprit || !model.isPure(operation)) continue;
    const smaller = without(excerpt, place);
    if (check(model, smaller.operations, smaller.from).kind === "violation") return withoutLooks(model, smaller);
  }
  return excerpt;
}

function without({ from, operations, culprit }: Excerpt, left: number): Excerpt {
  const moved = (place: number): number => (place > left ? place - 1 : place);
  const stands = from.map(({ state, applied }) => ({ state, applied: applied.filter((p) => p !== left).map(moved) }));
  return {
    from: [...new Map(stands.map((stand) => [JSON.stringify(stand), stand])).values()],
    operations: operations.filter((_, place) => place !== left),
    culprit: moved(culprit),
  };
}
