import { steps, type Step } from "./server/protocol.ts";

/** How often something was killed while a call was at a step: rows are calls, columns steps. */
export class CrashTable {
  readonly title: string;
  readonly #counts = new Map<string, Map<Step, number>>();

  constructor(title: string) {
    this.title = title;
  }

  count(row: string, step: Step): void {
    const counts = this.#counts.get(row) ?? new Map<Step, number>();
    this.#counts.set(row, counts.set(step, (counts.get(step) ?? 0) + 1));
  }

  /** Lines of text; empty when nothing was killed. */
  lines(): readonly string[] {
    if (this.#counts.size === 0) return [];
    const width = Math.max(...[...this.#counts.keys()].map((row) => row.length), this.title.length);
    const line = (row: string, cells: readonly string[]): string =>
      `${row.padEnd(width)}${cells.map((cell) => cell.padStart(cellWidth)).join("")}`;
    return [
      line(this.title, steps),
      ...Array.from(this.#counts, ([row, counts]) =>
        line(
          row,
          steps.map((step) => String(counts.get(step) ?? "")),
        ),
      ),
    ];
  }
}

const cellWidth = 12;
