import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fuzz, replay } from "./fuzz.ts";
import { targets } from "./targets.ts";

/** Always the same inputs, so that a failure is a change and no chance. `npm run fuzz` tries others. */
const slice = { seed: 1, seconds: 60 };
const inputsOf: Readonly<Record<string, number>> = {
  decoder: 1500,
  cel: 60,
  json: 400,
  stored: 60,
  columns: 12,
  background: 3,
  wire: 150,
};

const corpus = new URL("corpus/", import.meta.url);

interface KeptInput {
  readonly why: string;
  readonly input: unknown;
}

describe.each(targets.map((target) => [target.name, target] as const))("%s", (name, target) => {
  it("holds whatever comes", async () => {
    const { failure, outcomes } = await fuzz(target, { ...slice, inputs: inputsOf[name] ?? 1000 });
    expect(failure).toBeUndefined();
    // A target that always ends the same way tries nothing.
    expect(outcomes.size).toBeGreaterThan(1);
  });

  it("holds for what was found before", async () => {
    const file = readdirSync(corpus).find((found) => found === `${name}.json`);
    const kept = file === undefined ? [] : (JSON.parse(readFileSync(new URL(file, corpus), "utf8")) as KeptInput[]);
    const failures: string[] = [];
    for (const { why, input } of kept) {
      const { failure } = await replay(target, input);
      if (failure !== undefined) failures.push(`${why}: ${failure.what}`);
    }
    expect(failures).toEqual([]);
  });
});
