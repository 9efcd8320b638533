import type { Measured } from "./contender.ts";
import type { Field, Ratio } from "./field.ts";
import { quantile } from "./steps.ts";

/** Measurements by contender and concurrency. */
export class Results {
  readonly #measured = new Map<string, Measured[]>();

  add(contender: string, concurrency: number, one: Measured): void {
    const key = `${contender} ${concurrency}`;
    this.#measured.set(key, [...(this.#measured.get(key) ?? []), one]);
  }

  /** NaN where nothing was measured. */
  median(contender: string, concurrency: number, value: (one: Measured) => number): number {
    const measured = this.#measured.get(`${contender} ${concurrency}`) ?? [];
    return quantile(Float64Array.from(measured, value).toSorted(), 0.5);
  }
}

/** The table of a field, and what its columns mean. */
export function printTable({ contenders, ratios, notes }: Field, results: Results): void {
  const hasDatabase = contenders.some(({ name, concurrencies: [first = 0] }) =>
    Number.isFinite(results.median(name, first, ({ load }) => load.databaseCores ?? Number.NaN)),
  );
  const columns = [
    "runs",
    "",
    "steps/s",
    "commits/s",
    ...ratios.map(({ title }) => title),
    "p50 ms",
    "p99 ms",
    "main thread",
    "main µs",
    "process µs",
    "server µs",
    ...(hasDatabase ? ["database µs", "db cores"] : []),
  ];
  const widths = columns.map((title) => Math.max(title.length, 7) + 2);
  widths[1] = Math.max(...contenders.map(({ name }) => name.length)) + 2;
  const print = (cells: readonly string[]): void =>
    console.log(cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join(""));
  print(columns);
  const all = contenders.flatMap(({ concurrencies }) => concurrencies);
  for (const concurrency of [...new Set(all)].toSorted((a, b) => a - b)) {
    for (const contender of contenders) {
      if (!contender.concurrencies.includes(concurrency)) continue;
      const { name } = contender;
      const of = (value: (one: Measured) => number): number => results.median(name, concurrency, value);
      const perCommit = (cores: (one: Measured) => number | null): string =>
        shown(of((one) => (1e6 * (cores(one) ?? Number.NaN)) / commitRate(one)));
      const isTape = name === "embedded" || name === "gRPC";
      const isElsewhere = name.startsWith("pgbench");
      print([
        String(concurrency),
        name,
        isTape ? whole(of((one) => one.steps / one.seconds)) : "",
        whole(of(commitRate)),
        ...ratios.map((ratio) => compared(ratio, of(commitRate), concurrency, results)),
        of((one) => quantile(one.latencies, 0.5)).toFixed(2),
        of((one) => quantile(one.latencies, 0.99)).toFixed(2),
        isElsewhere ? "" : `${(100 * of(({ load }) => load.mainThread)).toFixed(0)} %`,
        isElsewhere ? "" : perCommit(({ load }) => load.mainThread),
        isElsewhere ? "" : perCommit(({ load }) => load.ownCores),
        perCommit(({ load }) => load.serverCores),
        ...(hasDatabase
          ? [perCommit(({ load }) => load.databaseCores), of(({ load }) => load.databaseCores ?? Number.NaN).toFixed(2)]
          : []),
      ]);
    }
  }
  console.log(`
A step is two calls and two durable commits; each run of ten steps adds one commit at either end. p50 and p99 are of a
step. ${notes}
What limits: "main thread" is how busy this process's main thread was; the µs are per commit: of that thread, of all
threads of this process${hasDatabase ? ", of the server's process, and of all of the database's" : ", and of the server's process"}.
All callers wait for the same commit, so that caller, server, writer and disk take turns: their times add up, and none
of them need be busy all the time.`);
}

function compared(ratio: Ratio, rate: number, concurrency: number, results: Results): string {
  const part = rate / results.median(ratio.contender, ratio.concurrency ?? concurrency, commitRate);
  return ratio.form === "percent" ? `${(100 * part).toFixed(0)} %` : `${part.toFixed(1)}×`;
}

const commitRate = (one: Measured): number => one.commits / one.seconds;

const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

const shown = (value: number): string => (Number.isNaN(value) ? "" : value.toFixed(0));
