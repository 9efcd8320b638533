import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embedded, overGrpc, steppers, type Contender } from "./contender.ts";
import type { Field } from "./field.ts";
import { openRaw } from "./raw.ts";
import { quantile } from "./steps.ts";

/** SQLite in a temporary folder, beside the bare library. */
export async function sqliteField(): Promise<Field> {
  const folder = await mkdtemp(join(tmpdir(), "tape-bench-"));
  return {
    setting: [`${probe(folder)}, ${folder}; synchronous=FULL`],
    contenders: [
      await raw(folder),
      await embedded(`sqlite:${join(folder, "embedded.db")}`),
      await overGrpc(`sqlite:${join(folder, "served.db")}`),
    ],
    ratios: [{ title: "of raw", contender: "raw", form: "percent" }],
    notes: `"of raw" compares commits with commits; p50 and p99 of raw are of one append.`,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

async function raw(folder: string): Promise<Contender> {
  const bare = await openRaw(join(folder, "raw.db"));
  let rows = 0;
  return steppers(
    "raw",
    () => bare.openWriter((rows += 1)),
    () => bare.close(),
  );
}

/** The fsync is the floor under everything here, so it is measured where the databases lie. */
function probe(folder: string): string {
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
  return `fdatasync of 4 KiB ${fsync.toFixed(2)} ms (median)`;
}
