import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import type { WorldKind } from "../../bench/duplicates/assignment.ts";
import { allPoints, type CrashPoint, latePoint } from "../../bench/duplicates/crash-point.ts";
import { brokenPromises } from "../../bench/duplicates/broken-promises.ts";
import { bareSystem } from "../../bench/duplicates/systems/bare.ts";
import { projectFolder } from "../../bench/duplicates/systems/project.ts";
import { tapeSystem, type TapeStore } from "../../bench/duplicates/systems/tape.ts";
import { runTrial, type Trial } from "../../bench/duplicates/trial.ts";

const runsPerPoint = 2;
const options = { runs: 8 * runsPerPoint, batch: 100 };
const timeout = 120_000;

/** What became of the runs that were killed at a point, as long as it is the same for all of them. */
type Fate = "once" | "twice" | "lost" | "unknown";

function fates({ points }: Trial): Partial<Record<CrashPoint, Fate>> {
  const all: readonly Fate[] = ["once", "twice", "lost", "unknown"];
  return Object.fromEntries(
    allPoints.map((point) => [point, all.find((fate) => points[point][fate] === runsPerPoint)] as const),
  );
}

const same = (fate: Fate, ...points: readonly CrashPoint[]): Partial<Record<CrashPoint, Fate>> =>
  Object.fromEntries(points.map((point) => [point, fate]));

const askedAgain = ({ points }: Trial): readonly CrashPoint[] =>
  allPoints.filter((point) => points[point].askedAgain > 0);

const everywhere = same("once", ...allPoints);

describe("agents that are killed at every point of a tool call", () => {
  beforeAll(async () => {
    const compiler = createRequire(import.meta.url).resolve("typescript/package.json");
    const args = [join(dirname(compiler), "bin/tsc"), "-p", "bench/duplicates"];
    await promisify(execFile)(process.execPath, args, { cwd: projectFolder });
  }, timeout);

  it.concurrent("act twice without a journal if they begin again, and ask the model again", { timeout }, async () => {
    const trial = await runTrial(bareSystem("again"), "blind", options);
    const twice = same("twice", "acted", "tool-answered", "outcome-recorded", latePoint);
    expect(fates(trial)).toEqual({ ...everywhere, ...twice });
    expect(askedAgain(trial)).toEqual(allPoints.filter((point) => point !== "before-model"));
    expect(brokenPromises(trial)).toEqual([
      expect.stringContaining(`acted twice in ${3 * runsPerPoint} runs`),
      expect.stringContaining("late request"),
    ]);
  });

  it.concurrent("lose acts without a journal if they do not", { timeout }, async () => {
    const trial = await runTrial(bareSystem("never-again"), "blind", options);
    const before = ["before-model", "model-answered", "decision-recorded", "tool-entered", "request-sent"] as const;
    expect(fates(trial)).toEqual({ ...everywhere, ...same("lost", ...before) });
    expect(brokenPromises(trial)).toEqual([expect.stringContaining(`lost the act of ${5 * runsPerPoint} runs`)]);
  });

  const cases: readonly (readonly [TapeStore, WorldKind])[] = [
    ["sqlite", "keys"],
    ["sqlite", "look-up"],
    ["sqlite", "blind"],
    ["memory", "keys"],
    ["memory", "look-up"],
  ];
  const exceptions: Readonly<Record<WorldKind, Partial<Record<CrashPoint, Fate>>>> = {
    keys: {},
    // It was looked up, and was not there.
    "look-up": same("twice", latePoint),
    blind: same("unknown", "tool-entered", "request-sent", "acted", "tool-answered", latePoint),
  };

  it.concurrent.each(cases)(
    "act once on Tape (%s) in a world of kind %s, or say that they do not know",
    { timeout },
    async (store, world) => {
      const trial = await runTrial(tapeSystem(store), world, options);
      expect(fates(trial)).toEqual({ ...everywhere, ...exceptions[world] });
      expect(askedAgain(trial)).toEqual(["model-answered"]);
      expect(brokenPromises(trial)).toEqual([]);
    },
  );
});
