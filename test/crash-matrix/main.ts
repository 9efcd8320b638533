// The command of the crash matrix: `npm run crash -- --help`.
import { fileURLToPath } from "node:url";
import { Tally } from "../../bench/soak/tally.ts";
import { wordsOfError } from "../../bench/words-of-error.ts";
import { TapeError } from "../../src/errors.ts";
import { seededRandom, type Random } from "../../src/testing/random.ts";
import { nameOfVictim, victimsOf } from "./blow.ts";
import { runMatrix } from "./matrix.ts";
import { help, readOptions, type CrashOptions } from "./options.ts";
import { openPlace } from "./places/open-place.ts";
import type { Place } from "./places/place.ts";
import { losePower, recordWork } from "./power-loss/power-loss.ts";
import { compilerMissing, makeRecorder } from "./power-loss/recorder.ts";
import { killAtRandom } from "./random-kills.ts";
import { closingLines, powerLossLines } from "./report.ts";
import { allScenarios } from "./scenarios/all-scenarios.ts";
import { CrashTable } from "./table.ts";

const program = fileURLToPath(new URL("server/crash-server.js", import.meta.url));
// Beside this file's source; the compiler of TypeScript copies nothing else.
const recorderSource = fileURLToPath(new URL("../../../test/crash-matrix/power-loss/recorder.c", import.meta.url));

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.help) {
      write(help);
      return 0;
    }
    return await crash(options, await openPlace(options.store));
  } catch (error) {
    if (!(error instanceof TapeError) || !/^(?:ARGUMENT|STORE_URL)_INVALID$/.test(error.reason)) {
      process.stderr.write(`crash: it could not be done: ${wordsOfError(error)}\n`);
      return 1;
    }
    process.stderr.write(`crash: ${error.message}\n\n${help}`);
    return 2;
  }
}

async function crash(options: CrashOptions, place: Place): Promise<number> {
  const { clients, rounds, kills, only, seed, verbose, patience } = options;
  const { together = place.together, plant: planted } = options;
  const onCrash = verbose ? write : undefined;
  // Who only wants to know how it ends reads them there.
  const tally = new Tally(onCrash);
  const random = seededRandom(seed);
  const victims = victimsOf(place);
  const scenarios = allScenarios.filter(({ name }) => name.startsWith(only));
  const tables = new Map(
    victims.map((victim) => [nameOfVictim(victim), new CrashTable(`killed: ${nameOfVictim(victim)}`)]),
  );
  try {
    write(`${place.title}: ${scenarios.length} calls, ${clients} agents beside them, seed ${seed}`);
    if (place.note !== undefined) write(place.note);
    const asked = { place, program, scenarios, victims, rounds, together, clients, random, planted, patience };
    await runMatrix({ ...asked, tally, tables, onCrash });
    for (const table of tables.values()) for (const line of ["", ...table.lines()]) write(line);
    if (kills > 0) {
      const served = fileURLToPath(new URL("./cli/main.js", import.meta.resolve("tape-journal")));
      await told(tally, () => killAtRandom({ place, program: served, kills, clients, random, tally, onCrash }));
    }
    if (place.title === "SQLite" && options.images > 0) await told(tally, () => powerLoss(options, random, tally));
  } finally {
    await place.remove();
  }
  for (const line of closingLines(tally, seed)) write(line);
  return tally.violations.length === 0 ? 0 : 1;
}

/** Does this; that it could not be done to its end is told. */
async function told(tally: Tally, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    tally.violation("not finished", wordsOfError(error));
  }
}

async function powerLoss({ images, only }: CrashOptions, random: Random, tally: Tally): Promise<void> {
  const recorder = await makeRecorder(recorderSource);
  if (recorder === undefined) {
    write(`\npower loss was not tried: ${compilerMissing}`);
    return;
  }
  try {
    const scenarios = allScenarios.filter(({ name }) => name.startsWith(only));
    const recorded = await recordWork({ program, recorder, scenarios, random });
    const result = await losePower(recorded, { images, random });
    for (const { kind, what } of result.faults) tally.violation(kind, what);
    for (const line of powerLossLines(result, tally)) write(line);
  } finally {
    await recorder.remove();
  }
}
