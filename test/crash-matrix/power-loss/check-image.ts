import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Engine } from "../../../src/engine/engine.ts";
import { toTapeError } from "../../../src/errors.ts";
import { localAccess } from "../../../src/model/access.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { createStore } from "../../../src/store/open-store.ts";
import { openSqlite } from "../../../src/store/sqlite/open-sqlite.ts";
import type { Facts } from "../scenarios/facts.ts";
import { compare, type Fault } from "../verdict.ts";
import type { Image } from "./disk.ts";
import { marksOf, type Done } from "./workload.ts";

/** What is expected of an image. */
export interface Expectation {
  readonly done: readonly Done[];
  /** By name: what a scenario comes to with no power lost. */
  readonly facts: ReadonlyMap<string, Facts>;
  /** The calls that had been answered when the power failed. */
  readonly acknowledged: ReadonlySet<string>;
}

/**
 * Puts the files of an image into a folder and opens it with Tape. Every acknowledged call must be there; of one that was
 * not acknowledged nobody knows, so it is sent again, and must then have counted once.
 */
export async function checkImage(folder: string, image: Image, expected: Expectation): Promise<readonly Fault[]> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [path, content] of image) await writeFile(join(folder, basename(path)), content);
  const file = join(folder, "tape.db");
  const faults: Fault[] = [];
  const store = await createStore(`sqlite:${file}`);
  try {
    await store.migrate({ dryRun: false });
    const integrity = await integrityOf(file);
    if (integrity !== "ok") faults.push({ kind: "lost", what: `the file is damaged: ${integrity}` });
    const engine = new Engine({ store, reactors: false });
    try {
      faults.push(...(await checkCalls(engine.tape(localAccess), expected)));
    } finally {
      await engine.close();
    }
  } catch (error) {
    const { reason, message } = toTapeError(error);
    faults.push({ kind: "lost", what: `the file cannot be read: ${reason}: ${message}` });
  } finally {
    await store.close();
  }
  return faults;
}

async function checkCalls(tape: Tape, { done, facts, acknowledged }: Expectation): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const { name, scenario, prepared } of done) {
    const marks = marksOf(name);
    if (!acknowledged.has(marks.prepared)) continue;
    try {
      if (!acknowledged.has(marks.call)) await prepared.call(tape, { requestId: marks.call });
      if (!acknowledged.has(marks.neighbour)) await prepared.neighbour?.(tape, { requestId: marks.neighbour });
      const [first] = compare(facts.get(name) ?? [], await prepared.facts(tape));
      if (first !== undefined) faults.push({ ...first, what: `${scenario.name} (${name}): ${first.what}` });
    } catch (error) {
      const { reason, message } = toTapeError(error);
      faults.push({ kind: "lost", what: `${scenario.name} (${name}): ${reason}: ${message}` });
    }
  }
  return faults;
}

async function integrityOf(file: string): Promise<string> {
  const database = await openSqlite(file, { readOnly: false });
  try {
    return String(database.prepare("pragma integrity_check").get()?.["integrity_check"]);
  } finally {
    database.close();
  }
}
