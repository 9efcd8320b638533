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
import { connectTape, openTape, type Tape } from "tape-journal";

interface Contender {
  readonly name: string;
  readonly pid: number | null;
  /** One more concurrent caller. */
  open(): Stepper;
  close(): Promise<void>;
}

interface Measured extends Sample {
  readonly load: Load;
}

const concurrencies = [1, 16, 64] as const;
const milliseconds = Number(process.argv[2] ?? 1500);
const rounds = Number(process.argv[3] ?? 3);
/** A server that has just started does a fifth of what it does after some seconds: its code is compiled on the way. */
const warmUpMilliseconds = 4000;

const results = new Map<string, Measured[]>();
const folder = await mkdtemp(join(tmpdir(), "tape-bench-"));
const contenders: Contender[] = [];
try {
  printSetting();
  for (const start of [raw, embedded, overGrpc]) contenders.push(await start());
  for (const contender of contenders) await measure(open(contender, 64), warmUpMilliseconds);
  for (let round = 1; round <= rounds; round += 1) {
    for (const concurrency of concurrencies) {
      for (const contender of contenders) {
        const steppers = open(contender, concurrency);
        const loaded = measureLoad(contender.pid);
        const sample = await measure(steppers, milliseconds);
        const key = `${contender.name} ${concurrency}`;
        results.set(key, [...(results.get(key) ?? []), { ...sample, load: loaded() }]);
      }
    }
    console.error(`round ${round} of ${rounds} done`);
  }
  printTable();
} finally {
  for (const contender of contenders) await contender.close();
  await rm(folder, { recursive: true, force: true });
}

function open(contender: Contender, concurrency: number): readonly Stepper[] {
  return Array.from({ length: concurrency }, () => contender.open());
}

async function raw(): Promise<Contender> {
  const bare = await openRaw(join(folder, "raw.db"));
  let rows = 0;
  return { name: "raw", pid: null, open: () => bare.openWriter((rows += 1)), close: () => bare.close() };
}

async function embedded(): Promise<Contender> {
  const tape = await openTape(`sqlite:${join(folder, "embedded.db")}`);
  return { name: "embedded", pid: null, open: agentsOf(tape), close: () => tape.close() };
}

async function overGrpc(): Promise<Contender> {
  const program = fileURLToPath(new URL("./cli/main.js", import.meta.resolve("tape-journal")));
  const server = await startServer(program, `sqlite:${join(folder, "served.db")}`);
  const tape = connectTape(`tape://127.0.0.1:${server.port}`);
  const close = async (): Promise<void> => {
    await tape.close();
    await server.stop("SIGTERM");
  };
  return { name: "gRPC", pid: server.pid, open: agentsOf(tape), close };
}

function agentsOf(tape: Tape): () => Stepper {
  let agents = 0;
  return () => openAgent(tape, `agent-${(agents += 1)}`);
}

/** The fsync is the floor under everything here, so it is measured where the databases lie. */
function printSetting(): void {
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
    `medians of ${rounds} interleaved rounds of ${milliseconds} ms after a warm-up; payloads of 500 bytes; synchronous=FULL\n`,
  );
}

function printTable(): void {
  const widths = [5, 10, 9, 11, 9, 9, 9, 12, 12, 13, 14];
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
      "main µs",
      "process µs",
      "server µs",
    ]),
  );
  for (const concurrency of concurrencies) {
    const rawRate = median(concurrency, "raw", commitRate);
    for (const name of ["raw", "embedded", "gRPC"]) {
      const of = (value: (one: Measured) => number): number => median(concurrency, name, value);
      const perCommit = (cores: (load: Load) => number): string =>
        of((one) => (1e6 * cores(one.load)) / commitRate(one)).toFixed(0);
      console.log(
        line([
          String(concurrency),
          name,
          name === "raw" ? "" : whole(of((one) => one.steps / one.seconds)),
          whole(of(commitRate)),
          `${((100 * of(commitRate)) / rawRate).toFixed(0)} %`,
          of((one) => quantile(one.latencies, 0.5)).toFixed(2),
          of((one) => quantile(one.latencies, 0.99)).toFixed(2),
          `${(100 * of((one) => one.load.mainThread)).toFixed(0)} %`,
          perCommit((load) => load.mainThread),
          perCommit((load) => load.ownCores),
          name === "gRPC" ? perCommit((load) => load.otherCores ?? Number.NaN) : "",
        ]),
      );
    }
  }
  console.log(`
A step is two calls and two durable commits; each run of ten steps adds one commit at either end. "of raw" compares
commits with commits. p50 and p99 are of a step, and of one append for raw.
What limits: "main thread" is how busy this process's main thread was; the µs are per commit: of that thread, of all
threads of this process, and of the server's process. All callers wait for the same commit, so that caller, server,
writer thread and disk take turns: their times add up, and none of them need be busy all the time.`);
}

function commitRate(one: Measured): number {
  return one.commits / one.seconds;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function median(concurrency: number, name: string, value: (one: Measured) => number): number {
  const values = Float64Array.from((results.get(`${name} ${concurrency}`) ?? []).map(value)).toSorted();
  return quantile(values, 0.5);
}
