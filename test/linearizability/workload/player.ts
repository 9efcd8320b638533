import type { Random } from "../../../src/testing/random.ts";
import type { SequentialModel } from "../checker.ts";
import type { Answer, Input } from "../history.ts";
import { runModel } from "../models/run-model.ts";
import { valueModel } from "../models/value-model.ts";
import type { RunInput } from "../models/run-state.ts";
import type { ValueInput } from "../models/value-model.ts";
import { RunPlayer, type RunPlay } from "./run-player.ts";
import { ValuePlayer } from "./value-player.ts";

/** Decides what one client asks of one object, from what it was answered so far. */
export interface Player {
  /** @param progress From 0 to 1: how much of its life has passed. */
  next(progress: number): ValueInput | RunInput;
  learn(input: ValueInput | RunInput, answer: Answer): void;
}

/** A kind of object: its rules, and how clients use it. */
export interface ObjectKind {
  readonly name: string;
  readonly model: SequentialModel<unknown, Input>;
  /** Whether anything of it expires while it is played with: then verdicts rest on the clock. */
  readonly isTimed: boolean;
  /** The longest that a client thinks between two calls, in milliseconds. */
  readonly longestThoughtMs: number;
  player(client: string, random: Random): Player;
  /** What is read at the end, so that nothing is lost unseen. */
  readonly closing: readonly (ValueInput | RunInput)[];
}

/** Longer than any history. */
const steadyMs = 3_600_000;
/** The shortest that there is (R10, R24). */
const shortMs = 1000;
const quick = 60;
/** So that what lasts a second expires while the object is played with, several times. */
const slow = 450;

const effects = ["e1", "e2", "e3", "e4"] as const;
const lookAtRun: readonly RunInput[] = [{ call: "getRun" }];
const lookAtEffects: readonly RunInput[] = effects.map((effect) => ({ call: "getEffect", effect }));

/** The weights by which calls are chosen, for each kind that is a run. */
const leases = { begin: 2, resume: 4, getRun: 3, decide: 6 } as const;
const gates = { resume: 3, getRun: 1, await: 5, send: 5, decide: 1 } as const;
const claims = { intend: 1, claim: 7, attempt: 4, complete: 1, reconcile: 1, getEffect: 3 } as const;
const everything = { ...leases, ...gates, ...claims, cancel: 0.2 } as const;

function runKind(
  name: string,
  longestThoughtMs: number,
  closing: readonly RunInput[],
  play: Omit<RunPlay, "effects">,
): ObjectKind {
  return {
    name,
    model: runModel,
    isTimed: play.ttlMs < steadyMs,
    longestThoughtMs,
    player: (client, random) => new RunPlayer(client, random, { ...play, effects }),
    closing,
  };
}

/** Every kind of object, in the order of the closing table. */
export const objectKinds: readonly ObjectKind[] = [
  {
    name: "value",
    model: valueModel,
    isTimed: false,
    longestThoughtMs: quick,
    player: (client, random) => new ValuePlayer(client, random),
    closing: [{ call: "get" }],
  },
  // A wait gives up a lease that lasts, so that others get it.
  runKind("lease", quick, lookAtRun, {
    ttlMs: steadyMs,
    owners: "each",
    weights: { ...leases, await: 2, cancel: 0.1 },
  }),
  runKind("lease that expires", slow, lookAtRun, { ttlMs: shortMs, owners: "each", weights: leases }),
  runKind("gate", quick, lookAtRun, { ttlMs: steadyMs, owners: "one", weights: gates }),
  runKind("claim", quick, lookAtEffects, { ttlMs: steadyMs, owners: "one", weights: claims }),
  runKind("claim that expires", slow, lookAtEffects, { ttlMs: shortMs, owners: "one", weights: claims }),
  runKind("whole run", slow, [...lookAtRun, ...lookAtEffects], { ttlMs: shortMs, owners: "each", weights: everything }),
];
