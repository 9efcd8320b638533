import { parseArgs } from "node:util";
import { openTape } from "../src/open-tape.ts";

/* Fills a store with runs, to try lists on: `npm run seed:runs -- --store sqlite:./tape.db --runs 100000`. */

const { values } = parseArgs({
  options: { store: { type: "string", default: "sqlite:./tape.db" }, runs: { type: "string", default: "100000" } },
});
const runs = Number(values.runs);
/** Enough for full batches, less than an engine lets wait. */
const inFlight = 2000;

const tape = await openTape(values.store);
const begun = performance.now();
// Names of a second seeding of one store are others.
const series = Date.now().toString(36);
for (let from = 0; from < runs; from += inFlight) {
  const batch = Array.from({ length: Math.min(inFlight, runs - from) }, (_, i) => seed(from + i));
  await Promise.all(batch);
}
const seconds = (performance.now() - begun) / 1000;
await tape.close();
console.log(`${runs} runs in ${seconds.toFixed(1)} s, ${Math.round(runs / seconds)} a second`);

/** Of a hundred runs one is left RUNNING; the others have ended. */
async function seed(i: number): Promise<void> {
  const { runId } = await tape.beginRun({
    appName: `app-${i % 10}`,
    userId: `user-${i % 997}`,
    sessionId: `session-${i % 4999}`,
    invocationId: `${series}-${i}`,
    leaseOwner: "seed",
  });
  if (i % 100 !== 0) await tape.endRun({ runId, status: i % 10 === 1 ? "FAILED" : "TERMINAL" });
}
