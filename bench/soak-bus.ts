/**
 * Three `tape serve` on one store that match four reactions, of which one is killed every few seconds, and workers that
 * die as well: every matching entry must have one task, and each must be done once.
 *
 * `npm run soak:bus -- [--store sqlite:…|postgres://…] [--entries n] [--kill-every ms] [seed]`; without a store, a SQLite
 * file in a temporary folder. In PostgreSQL it makes a schema of its own and drops it. Exits with 1 when anything was violated.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { busSoak } from "./bus/bus-soak.ts";
import { makePlace, openHost } from "./postgres-place.ts";
import { printTally } from "./soak/print-tally.ts";
import { wholeNumber } from "./whole-number.ts";
import { wordsOfError } from "./words-of-error.ts";

interface StorePlace {
  /** May hold a password: never to be printed. */
  readonly url: string;
  readonly remove: () => Promise<void>;
}

const { values, positionals } = parseArgs({
  options: { store: { type: "string" }, entries: { type: "string" }, "kill-every": { type: "string" } },
  allowPositionals: true,
});
const entries = wholeNumber(values.entries, 20_000);
const killEveryMs = wholeNumber(values["kill-every"], 3000);
const seed = wholeNumber(positionals[0], Math.floor(Math.random() * 2 ** 31));
const place = await openPlace(values.store);
try {
  console.log(`3 servers, ${entries.toLocaleString("en-US")} entries, seed ${seed}`);
  const start = performance.now();
  const tally = await busSoak({
    storeUrl: place.url,
    program: fileURLToPath(new URL("./cli/main.js", import.meta.resolve("tape-journal"))),
    entries,
    killEveryMs,
    seed,
    onKill: (what) => console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  killed ${what}`),
  });
  printTally(tally, seed);
  process.exitCode = tally.violations.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`soak:bus: it could not be done: ${wordsOfError(error)}`);
  process.exitCode = 1;
} finally {
  await place.remove();
}

/** A schema of its own in PostgreSQL; a file that is named, or one in a temporary folder. */
async function openPlace(store: string | undefined): Promise<StorePlace> {
  if (store?.startsWith("postgres") === true) {
    const host = await openHost(store === "postgres" ? undefined : store);
    const made = await makePlace(host.url, `soak_bus_${process.pid}`);
    const remove = async (): Promise<void> => {
      await made.drop();
      await host.close();
    };
    return { url: made.storeUrl, remove };
  }
  if (store !== undefined) return { url: store, remove: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), "tape-soak-bus-"));
  return { url: `sqlite:${join(folder, "tape.db")}`, remove: () => rm(folder, { recursive: true, force: true }) };
}
