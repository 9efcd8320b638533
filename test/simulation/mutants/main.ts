// Plants bugs one by one and counts the seeds that it takes to find them: `npm run sim:mutants`. It writes the table in
// docs/proof.md. With names as arguments: only these, and no table.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { runSeeds } from "../seed-threads.ts";
import type { Violation } from "../world/violation.ts";
import { areaMutants } from "./area-mutants.ts";
import { engineMutants } from "./engine-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { plant } from "./plant.ts";
import { ruleMutants } from "./rule-mutants.ts";

const mostSeeds = 3000;
const page = "docs/proof.md";
const begin = "<!-- mutants: begin -->";
const end = "<!-- mutants: end -->";

interface Caught {
  readonly seed: number;
  readonly violation: Violation;
}

/** Runs seeds from 1 on against the mutant until one fails; `null`: none did. */
async function hunt(mutant: Mutant): Promise<Caught | null> {
  const folder = resolve(plant(mutant), "test/simulation");
  const threads = (await import(pathToFileURL(resolve(folder, "seed-threads.js")).href)) as {
    readonly runSeeds: typeof runSeeds;
  };
  let first: Caught | null = null;
  const program = pathToFileURL(resolve(folder, "main.js"));
  await threads.runSeeds({ from: 1, count: mostSeeds }, undefined, program, ({ seed, result: { violation } }) => {
    if (violation !== null && (first === null || seed < first.seed)) first = { seed, violation };
    return first === null;
  });
  return first;
}

const all = [...engineMutants, ...ruleMutants, ...areaMutants];
const names = process.argv.slice(2);
const chosen = names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
const rows: string[] = [];
const escaped: string[] = [];
for (const mutant of chosen) {
  const caught = await hunt(mutant);
  if (caught === null) escaped.push(mutant.name);
  const found = caught === null ? "not found | " : `${caught.seed} | \`${caught.violation.invariant}\``;
  rows.push(`| \`${mutant.name}\` | ${mutant.bug} | ${found} |`);
  process.stdout.write(`${mutant.name}: ${caught === null ? "not found" : `seed ${caught.seed}`}`);
  process.stdout.write(
    caught === null ? "\n" : `, ${caught.violation.invariant}: ${caught.violation.what.slice(0, 160)}\n`,
  );
}
if (names.length === 0) {
  const text = readFileSync(page, "utf8");
  const table = ["| mutant | what is wrong | seeds | invariant |", "|---|---|---|---|", ...rows].join("\n");
  const [before = ""] = text.split(begin);
  const [, after = ""] = text.split(end);
  writeFileSync(page, `${before}${begin}\n\n${table}\n\n${end}${after}`);
}
process.stdout.write(`${chosen.length - escaped.length} of ${chosen.length} planted bugs found\n`);
if (escaped.length > 0) process.exitCode = 1;
