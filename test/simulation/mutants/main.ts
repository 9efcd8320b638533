// Plants bugs one by one and counts the seeds that it takes to find them: `npm run sim:mutants -- --help`.
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { runSeeds } from "../seed-threads.ts";
import type { Violation } from "../world/violation.ts";
import { allMutants } from "./all-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { plant } from "./plant.ts";

const help = `Plants bugs, one at a time, and counts the seeds that it takes to find each. Exit code 1: one was not found.

npm run sim:mutants                        all of them; writes the table in docs/proof.md
npm run sim:mutants -- NAME...             only these
             --from N                      the first seed; default: 1, which is what the table has
             --seeds N                     so many seeds at most for each; default: 1,000
             --threads N                   default: one a processor
`;

const page = "docs/proof.md";
const begin = "<!-- mutants: begin -->";
const end = "<!-- mutants: end -->";

interface Caught {
  readonly seed: number;
  readonly violation: Violation;
}

/** Runs seeds against the mutant until one fails; `null`: none did. */
async function hunt(
  mutant: Mutant,
  seeds: { readonly from: number; readonly count: number },
  threadCount: number | undefined,
): Promise<Caught | null> {
  const folder = resolve(plant(mutant), "test/simulation");
  const threads = (await import(pathToFileURL(resolve(folder, "seed-threads.js")).href)) as {
    readonly runSeeds: typeof runSeeds;
  };
  let first: Caught | null = null;
  const program = pathToFileURL(resolve(folder, "main.js"));
  await threads.runSeeds(seeds, threadCount, program, ({ seed, result: { violation } }) => {
    if (violation !== null && (first === null || seed < first.seed)) first = { seed, violation };
    return first === null;
  });
  return first;
}

/** Writes the table of the page. */
function writeTable(rows: readonly string[]): void {
  const text = readFileSync(page, "utf8");
  const table = ["| mutant | what is wrong | seeds | invariant |", "|---|---|---|---|", ...rows].join("\n");
  const [before = ""] = text.split(begin);
  const [, after = ""] = text.split(end);
  writeFileSync(page, `${before}${begin}\n\n${table}\n\n${end}${after}`);
}

async function main(): Promise<void> {
  const { values, positionals: names } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: "string", default: "1" },
      seeds: { type: "string", default: "1000" },
      threads: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const seeds = { from: Number(values.from), count: Number(values.seeds) };
  const threads = values.threads === undefined ? undefined : Number(values.threads);
  const chosen = names.length === 0 ? allMutants : allMutants.filter(({ name }) => names.includes(name));
  const rows: string[] = [];
  const escaped: string[] = [];
  for (const mutant of chosen) {
    const caught = await hunt(mutant, seeds, threads);
    const { name, bug } = mutant;
    if (caught === null) {
      escaped.push(name);
      rows.push(`| \`${name}\` | ${bug} | not found | |`);
      process.stdout.write(`${name}: not found\n`);
      continue;
    }
    const { seed, violation } = caught;
    rows.push(`| \`${name}\` | ${bug} | ${seed} | \`${violation.invariant}\` |`);
    process.stdout.write(`${name}: seed ${seed}, ${violation.invariant}: ${violation.what.slice(0, 160)}\n`);
  }
  if (names.length === 0 && seeds.from === 1) writeTable(rows);
  process.stdout.write(`${chosen.length - escaped.length} of ${chosen.length} planted bugs found\n`);
  if (escaped.length > 0) process.exitCode = 1;
}

await main();
