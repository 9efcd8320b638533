/**
 * How fast entries of the feed are matched with reactions: four of them over 20,000 entries in a SQLite file, durable, when
 * few entries match, and when all do.
 *
 * `npm run bench:matching -- [--store sqlite:…|postgres://…] [entries]`; the store must be empty. Default: a temporary file.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Engine } from "../src/engine/engine.ts";
import { localAccess } from "../src/model/access.ts";
import { reactor } from "../src/reactor/reactor.ts";
import { createStore } from "../src/store/open-store.ts";
import type { Store } from "../src/store/store.ts";
import { noObserver } from "../src/store/store-observer.ts";
import { wholeNumber } from "./whole-number.ts";

const reactions = 4;
const decisionsOfRun = 100;
/** One in so many entries matches each reaction. */
const shares = [100, 10, 1] as const;

const { values, positionals } = parseArgs({ options: { store: { type: "string" } }, allowPositionals: true });
const entries = wholeNumber(positionals[0], 20_000);
const folder = await mkdtemp(join(tmpdir(), "tape-matching-"));
const store = await createStore(values.store ?? `sqlite:${join(folder, "tape.db")}`, { observer: noObserver });
try {
  await store.migrate({ dryRun: false });
  await write(store);
  for (const share of shares) await match(store, share);
} finally {
  await store.close();
  await rm(folder, { recursive: true, force: true });
}

async function write(into: Store): Promise<void> {
  const engine = new Engine({ store: into, reactors: false });
  const tape = engine.tape(localAccess);
  await Promise.all(
    Array.from({ length: Math.ceil(entries / decisionsOfRun) }, async (_, n) => {
      const { runId } = await tape.beginRun({ appName: "bench", invocationId: `run ${n}` });
      for (let index = 0; index < decisionsOfRun; index += 1) {
        const decision = { runId, decisionIndex: index, model: "a model", requestJson: "{}", responseJson: "{}" };
        await tape.recordDecision(decision);
      }
    }),
  );
  await engine.close();
}

async function match(within: Store, share: number): Promise<void> {
  const engine = new Engine({ store: within, reactor: reactor() });
  const tape = engine.tape(localAccess);
  const names = Array.from({ length: reactions }, (_, n) => `one in ${share}, ${n}`);
  for (const reactionId of names) {
    await tape.registerReaction({
      reactionId,
      subjectPattern: "/tape/decision/recorded/**",
      predicateCel: `payload.model == "a model" && seq % ${share} == 0`,
      handlerKind: "TASK",
    });
  }
  // A decision is entry 2 to 101 of its run.
  const ofRun = Array.from({ length: decisionsOfRun }, (_, i) => i + 2).filter((seq) => seq % share === 0).length;
  const due = ofRun * Math.ceil(entries / decisionsOfRun) * reactions;
  const cpu = process.cpuUsage();
  const start = performance.now();
  engine.start();
  while (engine.stats().tasksMade < due) await sleep(2);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rate = (count: number): string => Math.round(count / seconds).toLocaleString("en-US");
  const cost = ((user + system) / entries).toFixed(0);
  console.log(
    `${reactions} reactions, one in ${share} matches each: ${rate(entries)} entries/s, ${rate(due)} tasks/s, ${cost} us of processor an entry`,
  );
  for (const reactionId of names) await tape.deregisterReaction({ reactionId });
  await engine.close();
}
