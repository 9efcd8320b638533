/**
 * Two `tape serve` on one PostgreSQL, many clients, and every few seconds something is killed: a server, connections of
 * the database, the database server itself. What must hold is checked at the end; the feed is followed all the time.
 *
 * `npm run soak:postgres -- [--store postgres://…] [seconds] [seed]`; without a store it brings a PostgreSQL of its own.
 * Exits with 1 when anything was violated.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openHost } from "./postgres-place.ts";
import type { Kill } from "./soak/killer.ts";
import { printTally } from "./soak/print-tally.ts";
import { soak } from "./soak/soak.ts";
import { wholeNumber } from "./whole-number.ts";
import { wordsOfError } from "./words-of-error.ts";

const clients = 64;
const killEveryMs = 5_000;

const { values, positionals } = parseArgs({ options: { store: { type: "string" } }, allowPositionals: true });
const seconds = wholeNumber(positionals[0], 60);
const seed = wholeNumber(positionals[1], Math.floor(Math.random() * 2 ** 31));
const host = await openHost(values.store);
try {
  console.log(`${clients} clients, ${seconds} s, seed ${seed}`);
  const start = performance.now();
  const tally = await soak({
    host,
    program: fileURLToPath(new URL("./cli/main.js", import.meta.resolve("tape-journal"))),
    clients,
    seed,
    kills: everyFewSeconds,
    onKill: (what) => console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  killed ${what}`),
  });
  printTally(tally, seed);
  process.exitCode = tally.violations.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`soak:postgres: it could not be done: ${wordsOfError(error)}`);
  process.exitCode = 1;
} finally {
  await host.close();
}

async function* everyFewSeconds(): AsyncGenerator<Kill, void> {
  const until = performance.now() + seconds * 1000;
  for (let next = performance.now() + killEveryMs; next < until; next += killEveryMs) {
    await sleep(Math.max(0, next - performance.now()));
    yield "any";
  }
  await sleep(Math.max(0, until - performance.now()));
}
