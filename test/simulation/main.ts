// The command of the simulation: `npm run sim -- --help`. Every thread of it runs this file too.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isMainThread } from "node:worker_threads";
import { planOf, type Plan } from "./plan.ts";
import { save, sizeOf, storyOf } from "./report.ts";
import { runSeeds, serveSeeds } from "./seed-threads.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulation.ts";

const help = `Simulates servers, agents and failures on one store, as seeds decide, and checks what must always hold.

npm run sim                                1,000 seeds
npm run sim -- --seeds 10000 --from 1      so many, from this one on
npm run sim -- --seed 123 [--trace]        one seed; with its story
npm run sim -- --plan FILE [--trace]       a plan that was saved, usually a shrunk one
             --threads N                   default: one a processor
`;

const folder = "build/simulation";

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** Runs one plan; shows its story if asked. */
async function runOne(plan: Plan, name: string, trace: boolean): Promise<void> {
  if (trace) for (const line of await storyOf(plan)) write(line);
  const result = await simulate(plan);
  if (result.violation === null) {
    write(`${name}: all holds (${result.steps} steps, ${result.faults} faults, ${result.entries} entries)`);
    return;
  }
  process.exitCode = 1;
  write(`${name}: ${result.violation.invariant}: ${result.violation.what}`);
  const failure = { plan, result };
  write(`as it was found: ${sizeOf(failure)}; shrinking, which takes up to a minute`);
  const smallest = await shrink(failure);
  const files = await save(folder, name, smallest.plan);
  write(`shrunk:          ${sizeOf(smallest)}`);
  write(`                 ${smallest.result.violation?.what ?? ""}`);
  write(`story: ${files.story}; replay it with: npm run sim -- --plan ${files.plan} --trace`);
}

/** Runs many seeds until one fails. */
async function runMany(from: number, count: number, threads: number | undefined): Promise<void> {
  const started = performance.now();
  const total: { failed?: number; seeds: number; steps: number; faults: number; entries: number } = {
    seeds: 0,
    steps: 0,
    faults: 0,
    entries: 0,
  };
  await runSeeds({ from, count }, threads, new URL(import.meta.url), ({ seed, result }) => {
    total.seeds += 1;
    total.steps += result.steps;
    total.faults += result.faults;
    total.entries += result.entries;
    if (result.violation !== null) total.failed = Math.min(seed, total.failed ?? seed);
    return total.failed === undefined;
  });
  const seconds = (performance.now() - started) / 1000;
  const rate = Math.round((60 * total.seeds) / seconds);
  write(
    `${total.seeds} seeds from ${from}: ${total.steps} steps, ${total.faults} faults, ${total.entries} entries in ${seconds.toFixed(1)} s (${rate} seeds a minute)`,
  );
  const { failed } = total;
  if (failed === undefined) {
    write("all invariants hold");
    return;
  }
  write(`seed ${failed} fails; replay it with: npm run sim -- --seed ${failed} --trace`);
  await runOne(planOf(failed), `seed-${failed}`, false);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1000" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      plan: { type: "string" },
      trace: { type: "boolean", default: false },
      threads: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const { seed, plan, trace, threads } = values;
  if (values.help) write(help);
  else if (plan !== undefined) await runOne(JSON.parse(readFileSync(plan, "utf8")) as Plan, "plan", trace);
  else if (seed !== undefined) await runOne(planOf(Number(seed)), `seed-${seed}`, trace);
  else await runMany(Number(values.from), Number(values.seeds), threads === undefined ? undefined : Number(threads));
}

if (isMainThread) await main();
else serveSeeds();
