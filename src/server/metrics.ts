import type { TapeErrorCode } from "../errors.ts";

/* Prometheus text format 0.0.4. Own code, and not prom-client: the hot path pays an array index per call instead of a
   label hash, and there is nothing else to it. */

/** How a call ended, as a label. */
export type CallCode = TapeErrorCode | "OK";

/** One metric without labels. */
export interface Sample {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly value: number;
}

// Seconds: a commit takes 0.2 ms on a good disk, a caller gives up after some seconds.
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

interface Cell {
  /** Not cumulative; the last one is above all bounds. */
  readonly counts: number[];
  sum: number;
}

/** Counts and durations of calls by method and code. */
export class CallHistogram {
  readonly #cells = new Map<string, Map<CallCode, Cell>>();

  /** Takes note of one call that has ended. */
  observe(method: string, code: CallCode, seconds: number): void {
    let codes = this.#cells.get(method);
    if (codes === undefined) this.#cells.set(method, (codes = new Map<CallCode, Cell>()));
    let cell = codes.get(code);
    if (cell === undefined) codes.set(code, (cell = { counts: Array.from(bounds, () => 0).concat(0), sum: 0 }));
    let at = 0;
    while (seconds > (bounds[at] ?? Infinity)) at++;
    cell.counts[at] = (cell.counts[at] ?? 0) + 1;
    cell.sum += seconds;
  }

  /** In the text format. */
  render(): string {
    const name = "tape_rpc_duration_seconds";
    const lines = [
      `# HELP ${name} Calls by method and outcome; streams count when they end.`,
      `# TYPE ${name} histogram`,
    ];
    for (const [method, codes] of this.#cells) {
      for (const [code, cell] of codes) {
        const labels = `method="${method}",code="${code}"`;
        let total = 0;
        for (const [at, count] of cell.counts.entries()) {
          total += count;
          lines.push(`${name}_bucket{${labels},le="${bounds[at] ?? "+Inf"}"} ${total}`);
        }
        lines.push(`${name}_sum{${labels}} ${cell.sum}`, `${name}_count{${labels}} ${total}`);
      }
    }
    return `${lines.join("\n")}\n`;
  }
}

/** Samples in the text format. */
export function renderSamples(samples: readonly Sample[]): string {
  return samples
    .map(({ name, help, type, value }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${value}\n`)
    .join("");
}
