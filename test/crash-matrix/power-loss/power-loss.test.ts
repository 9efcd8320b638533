import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { seededRandom } from "../../../src/testing/random.ts";
import { buildCrashServer } from "../build-server.ts";
import { allScenarios } from "../scenarios/all-scenarios.ts";
import { losePower, recordWork } from "./power-loss.ts";
import { compilerMissing, makeRecorder } from "./recorder.ts";

const seed = 20_261_126;
let program = "";
beforeAll(async () => {
  program = await buildCrashServer();
}, 60_000);

describe("a SQLite file whose power fails", () => {
  it("has everything that was acknowledged, unless the disk lies", { timeout: 180_000 }, async ({ skip }) => {
    const recorder = await makeRecorder(join(import.meta.dirname, "recorder.c"));
    if (recorder === undefined) {
      // What is missing there is a failure.
      if (process.env["CI"] === "true") throw new Error(compilerMissing);
      process.stderr.write(`skipped: power loss: ${compilerMissing}\n`);
      return skip(compilerMissing);
    }
    onTestFinished(() => recorder.remove());
    const random = seededRandom(seed);
    const scenarios = allScenarios.filter((_, at) => at % 3 === 0);
    const recorded = await recordWork({ program, recorder, scenarios, random });
    const { faults, syncs, acknowledged, images } = await losePower(recorded, { images: 24, random });
    expect(faults).toEqual([]);
    expect(acknowledged).toBeGreaterThan(100);
    expect(syncs).toBeGreaterThan(50);
    expect(images.size).toBe(4);

    const lied = await losePower(recorded, { images: 8, random, lyingDisk: true });
    expect(lied.faults.filter(({ kind }) => kind === "lost")).not.toEqual([]);
  });
});
