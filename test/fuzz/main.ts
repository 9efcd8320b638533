// The command of hostile input: `npm run fuzz -- --help`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fuzz, replay, type FuzzResult } from "./fuzz.ts";
import { tableOf } from "./table.ts";
import { targets } from "./targets.ts";

const withStore = targets
  .filter(({ stores }) => stores)
  .map(({ name }) => name)
  .join(", ");

const help = `Feeds Tape hostile data and checks what must hold whatever comes.

npm run fuzz                                  every target, 10 seconds each
npm run fuzz -- --seconds N --seed N          so long for each, from this seed
             -- --only TARGET                 one of: ${targets.map(({ name }) => name).join(", ")}
             -- --only TARGET --input FILE    one input, as it was saved
             -- --store URL                   ${withStore} on this store instead of their own: any store's
                                              URL, or postgres:, bigtable:, spanner: alone for one of our own
`;

const folder = "build/fuzz";

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function usage(what: string): never {
  process.stderr.write(`${what}\n\n${help}`);
  process.exit(2);
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) usage(`--${name} must be a whole number; it is ${text}`);
  return Number(text);
}

function options() {
  try {
    return parseArgs({
      options: {
        seconds: { type: "string", default: "10" },
        seed: { type: "string", default: "1" },
        only: { type: "string" },
        input: { type: "string" },
        store: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

/** Says what failed, and saves the input so that it can be tried again. */
function tell({ target, failure }: FuzzResult): void {
  if (failure === undefined) return;
  write(`${target}: ${failure.what}`);
  if (failure.input === undefined) return;
  const file = `${folder}/${target}.json`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, `${JSON.stringify(failure.input, null, 2)}\n`);
  write(`  input: ${JSON.stringify(failure.input).slice(0, 2000)}`);
  write(`  saved; replay it with: npm run fuzz -- --only ${target} --input ${file}`);
}

async function main(): Promise<void> {
  const { seconds, seed, only, input, store, help: isHelp } = options();
  if (isHelp) {
    write(help);
    return;
  }
  const chosen = targets.filter(
    ({ name, stores }) => (only === undefined || name === only) && (store === undefined || stores === true),
  );
  if (chosen.length === 0) usage(`there is no target ${only}${store === undefined ? "" : " that takes a store"}`);
  if (input !== undefined && only === undefined) usage("--input needs --only: an input belongs to a target");
  const results: FuzzResult[] = [];
  for (const target of chosen) {
    const result =
      input === undefined
        ? await fuzz(target, { seed: wholeNumber("seed", seed), seconds: wholeNumber("seconds", seconds), store })
        : await replay(target, JSON.parse(readFileSync(input, "utf8")), store);
    results.push(result);
    tell(result);
  }
  for (const line of tableOf(results)) write(line);
  process.exitCode = results.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

await main();
