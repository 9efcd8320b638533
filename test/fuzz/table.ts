import type { FuzzResult } from "./fuzz.ts";

/** The closing table: a line for each target, and its outcomes below, the most frequent first. */
export function tableOf(results: readonly FuzzResult[]): string[] {
  const line = (cells: readonly (string | number)[]): string =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(10) : String(cell).padStart(10))).join(" ");
  const lines = [line(["target", "inputs", "outcomes", "seconds", "failures"])];
  for (const { target, inputs, outcomes, seconds, failure } of results) {
    lines.push(line([target, inputs, outcomes.size, seconds.toFixed(1), failure === undefined ? 0 : 1]));
    const sorted = [...outcomes].toSorted(([, a], [, b]) => b - a).slice(0, mostOutcomes);
    lines.push(...sorted.map(([outcome, count]) => `  ${String(count).padStart(9)}  ${outcome}`));
  }
  return lines;
}

const mostOutcomes = 12;
