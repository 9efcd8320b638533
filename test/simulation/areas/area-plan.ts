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
  "exporter",
  "quitter",
  "hourglass",
  "watcher",
  "follower",
  "neighbour",
  "racer",
  "member",
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

/** What a world has beside its runs, as plain data. Almost four of ten have nothing; some with a bus have retention too. */
export type AreaPlan = Beside &
  (
    | { readonly kind: "none" }
    | {
        readonly kind: "bus";
        readonly reactions: readonly ReactionPlan[];
        readonly steadyClocks: boolean;
        /** How long runs and tasks that are over are kept; `null`: for ever. */
        readonly bounds: RetentionBounds | null;
      }
    | {
        readonly kind: "retention";
        readonly bounds: RetentionBounds;
        /** All runs are undone in the end. */
        readonly undoing: boolean;
      }
    | { readonly kind: "streams"; readonly longPast: boolean }
    | { readonly kind: "tenants" }
    | { readonly kind: "races" }
    | { readonly kind: "crowd" }
    | { readonly kind: "lists"; readonly steadyClocks: boolean; readonly longPast: boolean }
  );

/** An area, who takes part in it, and how long things go wrong at most. */
export interface AreaChoice {
  readonly area: AreaPlan;
  readonly cast: Partial<AreaCast> & { readonly agent?: number; readonly writer?: number; readonly reader?: number };
  readonly troubledSteps: number;
  /** What is to be seen comes late, so that things go wrong for so many steps at least. Default: none. */
  readonly leastTroubledSteps?: number;
}

/** Nobody of {@link areaActors}. */
export const nobodyElse: AreaCast = Object.freeze(
  Object.fromEntries(areaActors.map((actor) => [actor, 0])) as unknown as AreaCast,
);

const everything: Beside = { mostRuns: Infinity, mostSteps: Infinity };

/** So many steps it takes until most of the runs are started that reactions start. */
const runsAreStarted = 1400;

/** No area. */
export const noArea: AreaPlan = { ...everything, kind: "none" };

function bus(random: Random): AreaChoice {
  const steadyClocks = random.chance(0.6);
  const reactions = randomReactions(random, steadyClocks);
  const startsRuns = reactions.some(({ handlerKind }) => handlerKind === "AGENT");
  const bounds = random.chance(0.3) ? { ...randomBounds(random), deadTasksMs: random.pick([15_000, undefined]) } : null;
  return {
    area: { kind: "bus", mostRuns: 2, mostSteps: 4, steadyClocks, reactions, bounds },
    cast: {
      clerk: 1,
      worker: 1 + random.int(3),
      caretaker: 1,
      agent: 1 + random.int(2),
      writer: 1,
      ...(bounds === null ? {} : { archivist: 1, hourglass: 1 }),
    },
    troubledSteps: startsRuns ? runsAreStarted : 600,
    // A run is started when its entry was written, matched, and its task claimed.
    ...(startsRuns ? { leastTroubledSteps: runsAreStarted } : {}),
  };
}

function randomBounds(random: Random): RetentionBounds {
  const payloadsMs = random.pick([0, 15_000, 60_000]);
  const runsMs = random.pick([15_000, 70_000, 70_000, undefined]);
  return runsMs !== undefined && random.chance(0.3) ? { runsMs } : { payloadsMs, runsMs };
}

const retention = (random: Random): AreaChoice => ({
  area: { kind: "retention", mostRuns: 2, mostSteps: 4, bounds: randomBounds(random), undoing: random.chance(0.4) },
  cast: {
    compactor: random.int(2),
    archivist: 1,
    exporter: 1,
    opener: 1,
    quitter: 1,
    hourglass: 1,
    caretaker: 1,
  },
  troubledSteps: 900,
});

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
  troubledSteps: 900,
  leastTroubledSteps: 900,
});

const crowd = (random: Random): AreaChoice => ({
  area: { kind: "crowd", mostRuns: 1, mostSteps: 8 },
  cast: { member: 3 + random.int(3), agent: 1 },
  troubledSteps: 1200,
  leastTroubledSteps: 1200,
});

const lists = (random: Random): AreaChoice => ({
  area: {
    kind: "lists",
    mostRuns: 2,
    mostSteps: 5,
    steadyClocks: random.chance(0.5),
    longPast: random.chance(0.25),
  },
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
  { below: 0.63, choose: crowd },
];

/** The area of a seed. */
export function randomArea(random: Random): AreaChoice {
  const draw = random.next();
  const { choose } = choices.find(({ below }) => draw < below) ?? { choose: () => nothing };
  return choose(random);
}
