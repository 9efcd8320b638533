import { parseArgs } from "node:util";
import { type WorldKind, worldKinds } from "./assignment.ts";
import { type TapeStore, tapeStores } from "./systems/tape.ts";

/** What can be tried. */
export type SystemKind = "bare" | "tape" | "restate" | "dbos" | "langgraph";

const systemKinds: readonly SystemKind[] = ["bare", "tape", "restate", "dbos", "langgraph"];

/** What the command was asked for. */
export interface Options {
  readonly runs: number;
  readonly batch: number;
  readonly systems: readonly SystemKind[];
  readonly stores: readonly TapeStore[];
  readonly worlds: readonly WorldKind[];
  readonly json: boolean;
}

/** How to use the command. */
export const help: string = `npm run dup-bench -- [options]

Kills agents at every moment of one tool call, lets new ones recover, and counts how often the tool acted.

  --runs <n>        runs of each system in each world, over all moments (1000)
  --batch <n>       runs that live and die in one process (125)
  --systems <list>  of ${systemKinds.join(",")} (all)
  --stores <list>   where Tape keeps the journal, of ${tapeStores.join(",")} (all)
  --worlds <list>   what the outside world offers, of ${worldKinds.join(",")} (all)
  --json            prints JSON instead of tables
  --help            this

restate, dbos and langgraph are installed from npm on first use, into bench/duplicates/peers.
Exits with 1 if Tape acted twice or lost an act where it promises not to, with 2 if it was asked for nonsense.`;

/** Throws a sentence for people when the arguments make no sense; `undefined`: they ask for help. */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "1000" },
      batch: { type: "string", default: "125" },
      systems: { type: "string", default: systemKinds.join(",") },
      stores: { type: "string", default: tapeStores.join(",") },
      worlds: { type: "string", default: worldKinds.join(",") },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    runs: count("--runs", values.runs),
    batch: count("--batch", values.batch),
    systems: someOf("--systems", values.systems, systemKinds),
    stores: someOf("--stores", values.stores, tapeStores),
    worlds: someOf("--worlds", values.worlds, worldKinds),
    json: values.json,
  };
}

function count(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new RangeError(`${name} ${JSON.stringify(text)} is not a whole number above 0`);
}

function someOf<T extends string>(name: string, text: string, all: readonly T[]): readonly T[] {
  const wanted = text.split(",");
  const unknown = wanted.filter((one) => !all.some((known) => known === one));
  if (unknown.length > 0) {
    throw new RangeError(`${name} knows no ${JSON.stringify(unknown[0])}; choose of ${all.join(", ")}`);
  }
  return all.filter((one) => wanted.includes(one));
}
