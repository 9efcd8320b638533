import { seededRandom, type Random } from "../../src/testing/random.ts";
import { randomScript, randomTheme, type Script } from "./actors/script.ts";
import type { Muted } from "./world/faults.ts";
import { areaActors, noArea, nobodyElse, randomArea, type AreaPlan } from "./areas/area-plan.ts";
import type { ServerOptions } from "./world/server.ts";

const usualActors = [
  "dispatcher",
  "compensator",
  "reconciler",
  "operator",
  "signaller",
  "timekeeper",
  "writer",
  "chatter",
  "reader",
] as const;

type OtherActor = (typeof usualActors)[number] | (typeof areaActors)[number];

/** Who else takes part beside agents. */
export const otherActors: readonly OtherActor[] = [...usualActors, ...areaActors];

/** How many of each kind of actor there are. */
type Cast = Readonly<Record<OtherActor | "agent", number>>;

/** A world as plain data: with its seed it says exactly what happens. */
export interface Plan {
  readonly seed: number;
  readonly servers: number;
  readonly options: ServerOptions;
  readonly scripts: readonly Script[];
  readonly cast: Cast;
  /** After so many steps nothing goes wrong any more. */
  readonly troubledSteps: number;
  readonly muted: Muted;
  /** What there is beside the runs. */
  readonly area: AreaPlan;
}

const smallCacheBytes = 4096;
const largeCacheBytes = 1024 * 1024;
const widestSkewMs = 20_000;
const mostPending = 1000;
const areaSeed = 0x0a118;

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const plan = basePlan(seed);
  // Drawn apart, so that worlds without an area are what they were.
  return withArea(plan, seededRandom(seed ^ areaSeed));
}

/** An area takes the place of some of the rest, so that worlds do not become larger. */
function withArea(plan: Plan, random: Random): Plan {
  const { area, cast, troubledSteps, leastTroubledSteps = 0 } = randomArea(random);
  if (area.kind === "none") return plan;
  const { options } = plan;
  const hasLongPast = area.kind === "lists" && area.longPast;
  return {
    ...plan,
    area,
    // A crowd comes to a row by several servers.
    servers: Math.max(plan.servers, area.kind === "crowd" ? 2 : 1),
    cast: { ...plan.cast, ...cast },
    options: {
      ...options,
      // A server that remembers nothing cannot tell what is gone.
      cacheBytes: area.kind === "retention" ? largeCacheBytes : options.cacheBytes,
      // Servers that work by themselves do so in pages, for which there has to be room.
      maxPending: mostPending,
      reactions: area.kind === "bus",
      retention: "bounds" in area ? (area.bounds ?? undefined) : undefined,
      // It would look at every key of the past.
      housekeeping: hasLongPast ? false : options.housekeeping,
      widestSkewMs: "steadyClocks" in area && area.steadyClocks ? 0 : options.widestSkewMs,
    },
    scripts: plan.scripts.slice(0, area.mostRuns).map(({ number, steps, ending }) => ({
      number,
      ending: area.kind === "retention" && area.undoing ? "COMPENSATING" : ending,
      // What retention removes is payloads: the last step of every run has one.
      steps: [...steps.slice(0, area.mostSteps), ...(area.kind === "retention" ? [{ kind: "decide" } as const] : [])],
    })),
    troubledSteps: Math.max(leastTroubledSteps, Math.min(plan.troubledSteps, troubledSteps)),
  };
}

function basePlan(seed: number): Plan {
  const random = seededRandom(seed);
  const one = (probability: number): number => (random.chance(probability) ? 1 : 0);
  const atomicIndex = random.chance(0.4);
  const theme = randomTheme(random);
  const housekeeping = random.chance(0.6)
    ? {
        firstAfterMs: random.int(3000),
        sweepEveryMs: 1 + random.int(10_000),
        graceMs: random.pick([0, 1, 500, 15_000]),
        pauseMs: random.int(20),
      }
    : false;
  return {
    seed,
    servers: 1 + random.int(3),
    options: {
      capabilities: Object.freeze({
        kind: "simulated",
        formatVersion: 1,
        durable: true,
        exclusive: false,
        atomicIndex,
        concurrentAppends: 1 + random.int(4),
        maxBatch: random.pick([1, 3, 100]),
        inlineBodyBytes: 1024,
        wakeDelayMs: 0,
      }),
      cacheBytes: random.pick([1, smallCacheBytes, largeCacheBytes]),
      maxPending: random.pick([4, 50, mostPending]),
      widestSkewMs,
      housekeeping,
    },
    scripts: Array.from({ length: 1 + random.int(3) }, (_, i) => randomScript(i + 1, theme, random)),
    cast: {
      agent: 1 + random.int(3),
      dispatcher: 1 + random.int(2),
      compensator: 1 + random.int(2),
      reconciler: 1,
      operator: 1,
      signaller: 1 + random.int(2),
      timekeeper: one(0.3),
      writer: one(0.5) + one(0.3),
      chatter: one(0.5) + one(0.3),
      reader: one(0.6),
      ...nobodyElse,
    },
    troubledSteps: 200 + random.int(650),
    muted: { kinds: [], ordinals: [] },
    area: noArea,
  };
}
