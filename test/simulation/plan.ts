import { seededRandom } from "../../src/testing/random.ts";
import { randomScript, randomTheme, type Script } from "./actors/script.ts";
import type { Muted } from "./world/faults.ts";
import type { ServerOptions } from "./world/server.ts";

/** Who else takes part beside agents. */
export const otherActors = [
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

/** How many of each kind of actor there are. */
type Cast = Readonly<Record<(typeof otherActors)[number] | "agent", number>>;

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
}

const smallCacheBytes = 4096;
const largeCacheBytes = 1024 * 1024;

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const random = seededRandom(seed);
  const one = (probability: number): number => (random.chance(probability) ? 1 : 0);
  const atomicIndex = random.chance(0.4);
  const theme = randomTheme(random);
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
      maxPending: random.pick([4, 50, 1000]),
    },
    scripts: Array.from({ length: 1 + random.int(3) }, (_, i) => randomScript(i + 1, theme, random)),
    cast: {
      agent: 1 + random.int(3),
      dispatcher: 1 + random.int(2),
      compensator: 1 + random.int(2),
      reconciler: 1,
      operator: 1,
      signaller: 1 + random.int(2),
      timekeeper: one(0.5),
      writer: one(0.5) + one(0.3),
      chatter: one(0.5) + one(0.3),
      reader: one(0.6),
    },
    troubledSteps: 200 + random.int(800),
    muted: { kinds: [], ordinals: [] },
  };
}
