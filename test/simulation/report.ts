import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "./plan.ts";
import type { Failure } from "./shrink.ts";
import { simulate } from "./simulation.ts";

/** The story of a plan, as a person can read it. */
export async function storyOf(plan: Plan): Promise<readonly string[]> {
  const lines = [describePlan(plan), ""];
  await simulate(plan, (line) => lines.push(line));
  return lines;
}

/** A plan in a few words. */
function describePlan({ servers, scripts, cast, options, seed }: Plan): string {
  const actors = Object.entries(cast).flatMap(([actor, count]) => (count === 0 ? [] : `${count} ${actor}`));
  const runs = scripts.map(
    ({ number, steps, ending }) => `run-${number}: ${[...steps.map(({ kind }) => kind), ending].join(", ")}`,
  );
  const index = options.capabilities.atomicIndex ? "index in the commit" : "index beside the commit";
  return `world ${seed}: ${servers} servers, ${index}; ${actors.join(", ")}; ${runs.join("; ")}`;
}

/** How large a failure is. */
export function sizeOf({ plan, result }: Failure): string {
  const { servers, scripts, cast } = plan;
  const actors = Object.values(cast).reduce((sum, count) => sum + count, 0);
  const steps = scripts.reduce((sum, script) => sum + script.steps.length, 0);
  const muted = plan.muted.ordinals.length;
  const faults = Math.min(result.faults, plan.muted.from ?? Infinity) - muted;
  return `${servers} servers, ${scripts.length} runs with ${steps} steps, ${actors} actors, at most ${faults} faults, ${result.steps} steps`;
}

/** Writes a plan and its story to files; their names. */
export async function save(folder: string, name: string, plan: Plan): Promise<{ plan: string; story: string }> {
  mkdirSync(folder, { recursive: true });
  const files = { plan: join(folder, `${name}.json`), story: join(folder, `${name}.txt`) };
  writeFileSync(files.plan, `${JSON.stringify(plan, null, 2)}\n`);
  writeFileSync(files.story, `${(await storyOf(plan)).join("\n")}\n`);
  return files;
}
