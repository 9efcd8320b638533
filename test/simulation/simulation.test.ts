import { describe, expect, it } from "vitest";
import { planOf } from "./plan.ts";
import { storyOf } from "./report.ts";
import { simulate } from "./simulation.ts";

/** Some seconds' worth; `npm run sim` takes thousands. */
const seeds = 300;
const seedsATest = 50;

describe("simulated servers, agents and failures", () => {
  it.each(Array.from({ length: seeds / seedsATest }, (_, i) => 1 + i * seedsATest))(
    "keep every invariant, whatever goes wrong: seeds from %i on",
    async (from) => {
      for (let seed = from; seed < from + seedsATest; seed += 1) {
        const { violation } = await simulate(planOf(seed));
        expect(violation, `npm run sim -- --seed ${seed} --trace`).toBeNull();
      }
    },
  );

  it("do the same things again for the same seed, step by step", async () => {
    const story = await storyOf(planOf(4));
    expect(story.length).toBeGreaterThan(100);
    expect(await storyOf(planOf(4))).toEqual(story);
  });
});
