import type { RetentionBounds } from "../../../src/engine/retention.ts";
import type { Random } from "../../../src/testing/random.ts";
import { randomReactions, type ReactionPlan } from "../bus/reaction-plan.ts";

/** Who takes part in areas. */
export const areaActors = [
  "clerk",
  "worker",
  "caretaker",
  "compactor",
  "archivist",
  "hourglass",
  "watcher",
  "follower",
  "neighbour",
  "racer",
  "treasurer",
  "opener",
  "spender",
  "inspector",
] as const;

type AreaCast = Readonly<Record<(typeof areaActors)[number], number>>;

/** How much of the rest there is beside an area. */
interface Beside {
  readonly mostRuns: number;
  readonly mostSteps: number;
}

/** What a world has beside its runs, as plain data. Half of the worlds have nothing, none has two. */
export type AreaPlan = Beside &
  (
    | { readonly kind: "none" }
    | { readonly kind: "bus"; readonly reactions: readonly ReactionPlan[]; readonly steadyClocks: boolean }
    | { readonly kind: "retention"; readonly bounds: RetentionBounds }
    | { readonly kind: "streams"; readonly longPast: boolean }
    | { readonly kind: "tenants" }
    | { readonly kind: "races" }
    | { readonly kind: "lists"; readonly steadyClocks: boolean }
  );

/** An area, who takes part in it, and how long things go wrong at most. */
export interface AreaChoice {
  readonly area: AreaPlan;
  readonly cast: Partial<AreaCast> & { readonly agent?: number; readonly writer?: number; readonly reader?: number };
  readonly troubledSteps: number;
}

/** Nobody of {@link areaActors}. */
export const nobodyElse: AreaCast = Object.freeze(
  Object.fromEntries(areaActors.map((actor) => [actor, 0])) as unknown as AreaCast,
);

const everything: Beside = { mostRuns: Infinity, mostSteps: Infinity };

/** No area. */
export const noArea: AreaPlan = { ...everything, kind: "none" };

function bus(random: Random): AreaChoice {
  const steadyClocks = random.chance(0.6);
  return {
    area: {
      kind: "bus",
      mostRuns: 2,
      mostSteps: 4,
      steadyClocks,
      reactions: randomReactions(random, steadyClocks),
    },
    cast: { clerk: 1, worker: 1 + random.int(3), caretaker: 1, agent: 1 + random.int(2), writer: 1 },
    troubledSteps: 600,
  };
}

function retention(random: Random): AreaChoice {
  const payloadsMs = random.pick([0, 15_000, 60_000]);
  const runsMs = random.pick([15_000, 70_000, 70_000, undefined]);
  return {
    area: {
      kind: "retention",
      mostRuns: 2,
      mostSteps: 3,
      bounds: runsMs !== undefined && random.chance(0.3) ? { runsMs } : { payloadsMs, runsMs },
    },
    cast: { compactor: random.int(2), archivist: 2, hourglass: 1 },
    troubledSteps: 900,
  };
}

const streams = (random: Random): AreaChoice => ({
  area: { kind: "streams", mostRuns: 2, mostSteps: 4, longPast: random.chance(0.6) },
  cast: { watcher: 1 + random.int(3), follower: 1 + random.int(2), writer: 2 },
  troubledSteps: 700,
});

const tenants = (): AreaChoice => ({
  area: { kind: "tenants", mostRuns: 1, mostSteps: 5 },
  cast: { neighbour: 1, agent: 1, writer: 1, reader: 1 },
  troubledSteps: 500,
});

const races = (random: Random): AreaChoice => ({
  area: { kind: "races", mostRuns: 1, mostSteps: 4 },
  cast: { racer: 2 + random.int(3), agent: 1 },
  troubledSteps: 500,
});

const lists = (random: Random): AreaChoice => ({
  area: { kind: "lists", mostRuns: 2, mostSteps: 5, steadyClocks: random.chance(0.5) },
  cast: { treasurer: 1, opener: 1 + random.int(2), spender: 1, inspector: 1 + random.int(2), caretaker: 1 },
  troubledSteps: 700,
});

const nothing: AreaChoice = { area: noArea, cast: {}, troubledSteps: Infinity };

const choices: readonly { readonly below: number; readonly choose: (random: Random) => AreaChoice }[] = [
  { below: 0.18, choose: bus },
  { below: 0.32, choose: retention },
  { below: 0.4, choose: streams },
  { below: 0.45, choose: tenants },
  { below: 0.52, choose: lists },
  { below: 0.57, choose: races },
];

/** The area of a seed. */
export function randomArea(random: Random): AreaChoice {
  const draw = random.next();
  const { choose } = choices.find(({ below }) => draw < below) ?? { choose: () => nothing };
  return choose(random);
}
