import { parseArgs } from "node:util";
import { TapeError } from "../../src/errors.ts";
import { defaultPatience, type Patience } from "./calls.ts";
import { stores } from "./places/open-place.ts";
import { allScenarios } from "./scenarios/all-scenarios.ts";
import { plantedBugs, type PlantedBug } from "./server/protocol.ts";

export const help: string = `Kills server and database at every step of every mutating call, under load, and looks what is there afterwards.

npm run crash -- [--store ${stores}]
                 default: a SQLite file of its own; a scheme alone is a database of its own, which can be killed
     --rounds N      kills for each call and step (1)
     --together N    calls that are at the step when something is killed (1; on an emulator 50)
     --clients N     agents that call all the time (3); 0: nobody
     --kills N       kills of an unmodified \`tape serve\` at any moment, besides (20)
     --images N      SQLite: files to look at as a power failure may leave them (400); 0: none
     --only TEXT     only calls whose name begins so
     --seed N        chooses the moments in commits, the load, and what a power failure keeps
     --patience MS   after which a call that is sent again and again has failed (60000); one answer may take half of it
     --plant BUG     gives the server a bug, to see that it is found: ${plantedBugs.join(", ")}
     --verbose       one line for each kill, and for what is wrong as soon as it is found
`;

/** What the command was asked to do. */
export interface CrashOptions {
  readonly help: boolean;
  readonly store: string | undefined;
  readonly rounds: number;
  /** Absent: as many as is sensible where the store is. */
  readonly together: number | undefined;
  readonly clients: number;
  readonly kills: number;
  readonly images: number;
  readonly only: string;
  readonly seed: number;
  readonly patience: Patience;
  readonly plant: PlantedBug | undefined;
  readonly verbose: boolean;
}

/** Reads the command line. Errors: ARGUMENT_INVALID. */
export function readOptions(args: readonly string[]): CrashOptions {
  const { values } = parsed(args);
  const only = values.only ?? "";
  if (!allScenarios.some(({ name }) => name.startsWith(only))) {
    throw invalid(
      `--only: no call's name begins with ${JSON.stringify(only)}; write it as in the table, BeginRun for example`,
    );
  }
  return {
    help: values.help,
    store: values.store,
    rounds: count("rounds", values.rounds, 1),
    together: values.together === undefined ? undefined : count("together", values.together, 1),
    clients: count("clients", values.clients, 0),
    kills: count("kills", values.kills, 0),
    images: count("images", values.images, 0),
    only,
    seed: values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : count("seed", values.seed, 0),
    patience: patienceOf(values.patience),
    plant: bug(values.plant),
    verbose: values.verbose,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", default: false },
        store: { type: "string" },
        rounds: { type: "string", default: "1" },
        together: { type: "string" },
        clients: { type: "string", default: "3" },
        kills: { type: "string", default: "20" },
        images: { type: "string", default: "400" },
        only: { type: "string" },
        seed: { type: "string" },
        patience: { type: "string" },
        plant: { type: "string" },
        verbose: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

function patienceOf(text: string | undefined): Patience {
  if (text === undefined) return defaultPatience;
  const callMs = count("patience", text, 2);
  return { callMs, attemptMs: Math.floor(callMs / 2) };
}

function bug(text: string | undefined): PlantedBug | undefined {
  const found = plantedBugs.find((name) => name === text);
  if (text === undefined || found !== undefined) return found;
  throw invalid(`--plant: there is no bug ${JSON.stringify(text)}; there are: ${plantedBugs.join(", ")}`);
}

function count(name: string, text: string, least: number): number {
  const number = Number(text);
  if (text !== "" && Number.isSafeInteger(number) && number >= least) return number;
  throw invalid(`--${name}: ${JSON.stringify(text)} is not a whole number from ${least} on`);
}

const invalid = (message: string): TapeError => new TapeError("ARGUMENT_INVALID", message);
