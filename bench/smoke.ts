/**
 * Steps a second, durable, at 1, 16 and 64 concurrent runs: embedded and through gRPC, beside the bare SQLite library
 * measured in the same minutes. A step is BeginEffect and CompleteEffect: two calls, two commits.
 *
 * `npm run bench:smoke -- [milliseconds a measurement] [rounds]`
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Load, measureLoad } from "./cpu.ts";
import { openRaw } from "./raw.ts";
import { startServer } from "./server-process.ts";
import { measure, openAgent, quantile, type Sample, type Stepper } from "./steps.ts";
import { connectTape, openTape } from "tape-journal";

interface Contender {
  readonly name: string;
  readonly pid: number | null;
  /** The n-th concurrent caller. */
  open(caller: number): Stepper;
  close(): Promise<void>;
}

interface Measured extends Sample {
  readonly load: Load;
}

const concurrencies = [1, 16, 64] as const;
const milliseconds = Number(process.argv[2] ?? 1500);
const rounds = Number(process.argv[3] ?? 3);
const contenders: readonly ((folder: string) => Promise<Contender>)[] = [raw, embedded, overGrpc];

const results = new Map<string, Measured[]>();
const parent = await mkdtemp(join(tmpdir(), "tape-bench-"));
try {
  printSetting(parent);
  for (let round = 1; round <= rounds; round += 1) {
    for (const concurrency of concurrencies) {
      for (const openContender of contenders) {
        const folder = await mkdtemp(join(parent, "run-"));
        const contender = await openContender(folder);
        try {
          const steppers = Array.from({ length: concurrency }, (_, caller) => contender.open(caller));
          const loaded = measureLoad(contender.pid);
          const sample = await measure(steppers, milliseconds);
          const key = `${contender.name} ${concurrency}`;
          results.set(key, [...(results.get(key) ?? []), { ...sample, load: loaded() }]);
        } finally {
          await contender.close();
          await rm(folder, { recursive: true, force: true });
        }
      }
    }
    console.error(`round ${round} of ${rounds} done`);
  }
  printTable();
} finally {
  await rm(parent, { recursive: true, force: true });
}

async function raw(folder: string): Promise<Contender> {
  const bare = await openRaw(join(folder, "raw.db"));
  return { name: "raw", pid: null, open: (caller) => bare.openWriter(caller), close: () => bare.close() };
}

async function embedded(folder: string): Promise<Contender> {
  const tape = await openTape(`sqlite:${join(folder, "tape.db")}`);
  return { name: "embedded", pid: null, open: (caller) => openAgent(tape, `a${caller}`), close: () => tape.close() };
}

async function overGrpc(folder: string): Promise<Contender> {
  const program = fileURLToPath(new URL("./cli/main.js", import.meta.resolve("tape-journal")));
  const server = await startServer(program, `sqlite:${join(folder, "tape.db")}`);
  const tape = connectTape(`tape://127.0.0.1:${server.port}`);
  return {
    name: "gRPC",
    pid: server.pid,
    open: (caller) => openAgent(tape, `a${caller}`),
    close: async () => {
      await tape.close();
      await server.stop("SIGTERM");
    },
  };
}

/** The fsync is the floor under everything here, so it is measured where the databases lie. */
function printSetting(folder: string): void {
  const file = openSync(join(folder, "fsync-probe"), "w");
  const times: number[] = [];
  for (let i = 0; i < 200; i += 1) {
    writeSync(file, Buffer.alloc(4096), 0, 4096, i * 4096);
    const start = performance.now();
    fdatasyncSync(file);
    times.push(performance.now() - start);
  }
  closeSync(file);
  const fsync = quantile(Float64Array.from(times).toSorted(), 0.5);
  console.log(
    `Node ${process.version}, ${cpus().length} cores, fdatasync of 4 KiB ${fsync.toFixed(2)} ms (median), ${folder}`,
  );
  console.log(
    `medians of ${rounds} interleaved rounds of ${milliseconds} ms; payloads of 500 bytes; synchronous=FULL\n`,
  );
}

function printTable(): void {
  const widths = [5, 10, 9, 11, 10, 9, 9, 12, 12, 13];
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("");
  console.log(
    line([
      "runs",
      "",
      "steps/s",
      "commits/s",
      "of raw",
      "p50 ms",
      "p99 ms",
      "main thread",
      "own cores",
      "server cores",
    ]),
  );
  for (const concurrency of concurrencies) {
    const rawRate = median(concurrency, "raw", (one) => one.commits / one.seconds);
    for (const name of ["raw", "embedded", "gRPC"]) {
      const of = (value: (one: Measured) => number): number => median(concurrency, name, value);
      const commitRate = of((one) => one.commits / one.seconds);
      console.log(
        line([
          String(concurrency),
          name,
          name === "raw" ? "" : Math.round(of((one) => one.steps / one.seconds)).toLocaleString("en-US"),
          Math.round(commitRate).toLocaleString("en-US"),
          `${((100 * commitRate) / rawRate).toFixed(0)} %`,
          of((one) => quantile(one.latencies, 0.5)).toFixed(2),
          of((one) => quantile(one.latencies, 0.99)).toFixed(2),
          `${(100 * of((one) => one.load.mainThread)).toFixed(0)} %`,
          of((one) => one.load.ownCores).toFixed(2),
          name === "gRPC" ? of((one) => one.load.otherCores ?? Number.NaN).toFixed(2) : "",
        ]),
      );
    }
  }
  console.log("\nA step is two calls and two durable commits; each run of ten steps adds one commit at either end.");
  console.log("`of raw` compares commits with commits. p50 and p99: of a step, and of one append for raw.");
  console.log("A main thread near 100 % is what limits; far below it, the disk or the other process does.");
}

function median(concurrency: number, name: string, value: (one: Measured) => number): number {
  const values = Float64Array.from((results.get(`${name} ${concurrency}`) ?? []).map(value)).toSorted();
  return quantile(values, 0.5);
}
