import { otherActors, type Plan } from "./plan.ts";
import { simulate, type Result } from "./simulation.ts";
import { faultKinds } from "./world/faults.ts";

/** A plan that goes wrong, and how. */
export interface Failure {
  readonly plan: Plan;
  readonly result: Result;
}

/** Shrinking ends after so many steps of simulated worlds: half a minute or so. */
const mostSteps = 1_500_000;
/** A world with a part less draws other random numbers; one of so many seeds may still go wrong. */
const seedsEach = 3;
const seedStride = 1_000_003;

/**
 * Makes the plan of a failure smaller while the same invariant is still broken: fewer actors, runs, steps of scripts,
 * servers, kinds of faults, faults, and less time.
 */
export async function shrink(failure: Failure): Promise<Failure> {
  const search = new Search(failure);
  for (let found = true; found;) {
    found = false;
    for (const reduce of reductions) found = (await search.reduce(reduce)) || found;
  }
  return search.smallest;
}

/** The smallest failure found so far. */
class Search {
  smallest: Failure;
  #spent = 0;

  constructor(failure: Failure) {
    this.smallest = failure;
  }

  /** Leaves out what can be left out in one way. True: there was something. */
  async reduce(reduction: Reduction): Promise<boolean> {
    let found = false;
    for (let i = 0; this.#spent < mostSteps;) {
      const plan = reduction(this.smallest, i);
      if (plan === null) break;
      const isSmaller = plan !== this.smallest.plan && (await this.#fails(plan));
      found ||= isSmaller;
      // What stands at this place now may be left out too.
      i = isSmaller ? 0 : i + 1;
    }
    return found;
  }

  async #fails(plan: Plan): Promise<boolean> {
    for (let i = 0; i < seedsEach && this.#spent < mostSteps; i += 1) {
      const seeded = { ...plan, seed: plan.seed + i * seedStride };
      const result = await simulate(seeded);
      this.#spent += result.steps;
      if (sortOf(result) === sortOf(this.smallest.result)) {
        this.smallest = { plan: seeded, result };
        return true;
      }
    }
    return false;
  }
}

/** What is wrong, whichever run, actor or entry it is about. */
const sortOf = ({ violation }: Result): string =>
  violation === null ? "" : `${violation.invariant} ${violation.what.replace(/run-\w{20,}|[\d"~/]+/g, "")}`;

/** Makes the `i`th smaller plan of its kind; the same plan: there is nothing to leave out here; `null`: no more. */
type Reduction = (failure: Failure, i: number) => Plan | null;

const without = <T>(list: readonly T[], i: number): T[] => list.filter((_, at) => at !== i);

const reductions: readonly Reduction[] = [
  // Fewer runs, fewer servers, fewer actors.
  ({ plan }, i) =>
    i >= plan.scripts.length ? null : plan.scripts.length === 1 ? plan : { ...plan, scripts: without(plan.scripts, i) },
  ({ plan }, i) => (i > 0 ? null : plan.servers === 1 ? plan : { ...plan, servers: plan.servers - 1 }),
  ({ plan }, i) => {
    const actor = (["agent", ...otherActors] as const)[i];
    if (actor === undefined) return null;
    const count = plan.cast[actor];
    return count === 0 ? plan : { ...plan, cast: { ...plan.cast, [actor]: count - 1 } };
  },
  // Shorter scripts.
  ({ plan }, i) => {
    const places = plan.scripts.flatMap(({ steps }, script) => steps.map((_, step) => ({ script, step })));
    const place = places[i];
    if (place === undefined) return null;
    const scripts = plan.scripts.map((script, at) =>
      at === place.script ? { ...script, steps: without(script.steps, place.step) } : script,
    );
    return { ...plan, scripts };
  },
  // Fewer kinds of faults, and none after some point.
  ({ plan }, i) => {
    const kind = faultKinds[i];
    if (kind === undefined) return null;
    const { muted } = plan;
    return muted.kinds.includes(kind) ? plan : { ...plan, muted: { ...muted, kinds: [...muted.kinds, kind] } };
  },
  ({ plan, result }, i) => {
    const from = [0, 0.25, 0.5, 0.75, 0.9].map((part) => Math.floor(part * result.faults))[i];
    if (from === undefined) return null;
    return from >= Math.min(result.faults, plan.muted.from ?? Infinity)
      ? plan
      : { ...plan, muted: { ...plan.muted, from } };
  },
  ({ plan, result }, i) => {
    const troubledSteps = [0, 0.25, 0.5, 0.75, 0.9].map((part) => Math.floor(part * result.steps))[i];
    if (troubledSteps === undefined) return null;
    return troubledSteps >= plan.troubledSteps ? plan : { ...plan, troubledSteps };
  },
  // Single faults.
  ({ plan, result }, i) => {
    const { muted } = plan;
    if (i >= Math.min(result.faults, muted.from ?? Infinity)) return null;
    return muted.ordinals.includes(i) ? plan : { ...plan, muted: { ...muted, ordinals: [...muted.ordinals, i] } };
  },
];
