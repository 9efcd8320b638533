import type { Tally } from "./tally.ts";

/** The rest of them says the same. */
const shownViolations = 40;

/** Prints what went on, and what must not have happened. */
export function printTally(tally: Tally, seed: number): void {
  const counts = new Map([["lost", 0], ["duplicated", 0], ...tally.counts]);
  const width = Math.max(...[...counts.keys()].map((name) => name.length));
  console.log();
  for (const name of [...counts.keys()].toSorted()) {
    console.log(`${name.padEnd(width)} ${(counts.get(name) ?? 0).toLocaleString("en-US").padStart(12)}`);
  }
  if (tally.violations.length === 0) {
    console.log("\nevery invariant held");
    return;
  }
  console.log(`\n${tally.violations.length} violations, seed ${seed}:`);
  for (const violation of tally.violations.slice(0, shownViolations)) console.log(`  ${violation}`);
}
