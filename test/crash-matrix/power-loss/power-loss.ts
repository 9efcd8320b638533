import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectTape } from "../../../src/client/connect-tape.ts";
import type { Random } from "../../../src/testing/random.ts";
import { CrashServer } from "../crash-server.ts";
import type { Facts } from "../scenarios/facts.ts";
import type { Scenario } from "../scenarios/scenario.ts";
import { matrixToken } from "../server/tenants.ts";
import type { Fault } from "../verdict.ts";
import { checkImage } from "./check-image.ts";
import { Disk, survivals, type Survival } from "./disk.ts";
import type { Recorder } from "./recorder.ts";
import { readRecording, type Operation } from "./recording.ts";
import { factsOf, work, type Done } from "./workload.ts";

/** What is recorded. */
export interface RecordingOptions {
  /** `server/crash-server.js`, compiled. */
  readonly program: string;
  readonly recorder: Recorder;
  readonly scenarios: readonly Scenario[];
  readonly random: Random;
}

/** A server at work on a SQLite file, as the file saw it. */
export interface Recorded {
  readonly operations: readonly Operation[];
  readonly done: readonly Done[];
  /** By name: what can be read in the end, with no power lost. */
  readonly facts: ReadonlyMap<string, Facts>;
}

/** How power is lost. */
export interface PowerLossOptions {
  /** How many images are looked at, of all that could be. */
  readonly images: number;
  readonly random: Random;
  /** The disk says that it has synced, and has not: what is found then shows that something would be found. */
  readonly lyingDisk?: boolean | undefined;
}

/** What came of it. */
export interface PowerLossResult {
  readonly operations: number;
  readonly syncs: number;
  /** Calls that were answered while it was recorded. */
  readonly acknowledged: number;
  /** Images looked at, by what had survived. */
  readonly images: ReadonlyMap<Survival, number>;
  readonly faults: readonly Fault[];
}

/** Records two servers, one after the other: the first closes the file in good order, the second dies. */
export async function recordWork(options: RecordingOptions): Promise<Recorded> {
  return inFolder((folder) => record(options, folder));
}

async function record({ program, recorder, scenarios, random }: RecordingOptions, folder: string): Promise<Recorded> {
  const data = join(folder, "data");
  await mkdir(data);
  const log = join(folder, "log");
  const start = (): Promise<CrashServer> =>
    CrashServer.start({
      program,
      storeUrl: `sqlite:${join(data, "tape.db")}`,
      port: 0,
      marks: join(data, "replies.marks"),
      env: recorder.env(data, log),
    });
  const first = await start();
  const done = [...(await work(first, scenarios, random, "a"))];
  await first.stop();
  const second = await start();
  try {
    done.push(...(await work(second, scenarios, random, "b")));
    await second.checkpoint();
    done.push(...(await work(second, scenarios, random, "c")));
    const operations = readRecording(await readFile(log));
    const tape = connectTape(`tape://127.0.0.1:${second.port}`, { token: matrixToken });
    const facts = await factsOf(tape, done);
    await tape.close();
    return { operations, done, facts };
  } finally {
    await second.kill();
  }
}

/** Looks at the file as it may be when the power fails, anywhere in a recording. */
export async function losePower(recorded: Recorded, options: PowerLossOptions): Promise<PowerLossResult> {
  return inFolder((folder) => replay(recorded, options, join(folder, "image")));
}

async function replay(
  { operations, done, facts }: Recorded,
  { images, random, lyingDisk = false }: PowerLossOptions,
  folder: string,
): Promise<PowerLossResult> {
  const chosen = choose(operations, images, random);
  const disk = new Disk();
  const acknowledged = new Set<string>();
  const looked = new Map<Survival, number>();
  const faults: Fault[] = [];
  for (const [at, operation] of operations.entries()) {
    for (const survival of chosen.get(at) ?? []) {
      looked.set(survival, (looked.get(survival) ?? 0) + 1);
      const found = await checkImage(folder, disk.image(survival, random), { done, facts, acknowledged });
      const where = `power lost before operation ${at} of ${operations.length}, ${survival} kept of what was not synced`;
      faults.push(...found.map(({ kind, what }): Fault => ({ kind, what: `${where}: ${what}` })));
    }
    if (!lyingDisk || operation.kind !== "sync") disk.apply(operation);
    if (operation.kind === "mark") for (const id of operation.text.split("\n")) acknowledged.add(id);
  }
  return {
    operations: operations.length,
    syncs: operations.filter(({ kind }) => kind === "sync").length,
    acknowledged: acknowledged.size,
    images: looked,
    faults,
  };
}

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "tape-power-loss-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Which images to look at. Before a sync most is at stake, and behind a reply something was promised: half of the
 * moments are of these kinds, the others any.
 */
function choose(
  operations: readonly Operation[],
  count: number,
  random: Random,
): ReadonlyMap<number, readonly Survival[]> {
  const telling = operations.flatMap(({ kind }, at) => (kind === "sync" ? [at] : kind === "mark" ? [at + 1] : []));
  const chosen = new Map<number, Survival[]>();
  const wanted = Math.min(count, operations.length * survivals.length);
  for (let taken = 0; taken < wanted;) {
    const at = random.chance(0.5) && telling.length > 0 ? random.pick(telling) : random.int(operations.length);
    const survival = random.pick(survivals);
    const there = chosen.get(at) ?? [];
    taken += 1;
    // Only what is scattered is another image each time.
    if (survival !== "scattered" && there.includes(survival)) continue;
    chosen.set(at, [...there, survival]);
  }
  return chosen;
}
