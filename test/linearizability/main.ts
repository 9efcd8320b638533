// The command that checks linearizability: `npm run lin -- --help`.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { wordsOfError } from "../../bench/words-of-error.ts";
import { campaign } from "./campaign.ts";
import { read, save, storyOf } from "./report.ts";
import type { History } from "./round.ts";
import { openStorePlace } from "./store-place.ts";
import type { Verdict } from "./checker.ts";
import { judge } from "./verdicts.ts";

const help = `Records what concurrent clients of several servers were answered, and checks that it is linearizable.

npm run lin                        on a SQLite file in a temporary folder
npm run lin -- --store URL         any store's URL; or postgres:, bigtable:, spanner: alone for one of our own
            --seed N               what clients ask and what goes wrong; default: a random one
            --rounds N             default 15; each has new objects of every kind
            --clients N            of each object, default 5
            --servers N            default 3; 1 where the store is in memory
            --objects N            of each kind in a round, default 2
            --calls N              of each client, default 14
            --quiet                without faults: no server is killed or stopped, nobody is cut off
npm run lin -- --check FILE        judges a saved history again
`;

const folder = "build/linearizability";
const troubleEveryMs = 900;

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function usage(message: string): never {
  process.stderr.write(`${message}\n\n${help}`);
  process.exit(2);
}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        store: { type: "string" },
        seed: { type: "string" },
        rounds: { type: "string", default: "15" },
        clients: { type: "string", default: "5" },
        servers: { type: "string", default: "3" },
        objects: { type: "string", default: "2" },
        calls: { type: "string", default: "14" },
        quiet: { type: "boolean", default: false },
        check: { type: "string" },
        help: { type: "boolean", default: false },
      },
    });
    return values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function whole(name: string, text: string): number {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0
    ? number
    : usage(`--${name} takes a whole number above 0, not ${text}`);
}

function violated(history: History, verdict: Extract<Verdict<unknown>, { kind: "violation" }>): void {
  write("");
  for (const line of storyOf(history, verdict)) write(line);
}

/** Judges a history that was saved. */
function checkFile(file: string): boolean {
  let history: History;
  try {
    history = read(file);
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  const verdict = judge(history);
  write(`${history.object}: ${history.operations.length} operations, ${verdict.states} states: ${verdict.kind}`);
  if (verdict.kind === "violation") violated(history, verdict);
  return verdict.kind === "linearizable";
}

async function run(values: Exclude<ReturnType<typeof options>, undefined>): Promise<boolean> {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole("seed", values.seed);
  const [rounds, machines, objectsOfEach, callsOfEach, wanted] = (
    ["rounds", "clients", "objects", "calls", "servers"] as const
  ).map((name) => whole(name, values[name])) as [number, number, number, number, number];
  const place = await openStorePlace(values.store);
  try {
    const servers = place.isDurable ? wanted : 1;
    const start = performance.now();
    const seconds = (): string => `${((performance.now() - start) / 1000).toFixed(0)} s`;
    write(`${place.name}: ${servers} servers, ${machines} clients of each object, ${rounds} rounds, seed ${seed}`);
    const { summary, faults, strange, unjudged } = await campaign({
      program: fileURLToPath(new URL("./cli/main.js", import.meta.resolve("tape-journal"))),
      storeUrl: place.url,
      environment: place.environment,
      isDurable: place.isDurable,
      servers,
      machines,
      seed,
      rounds,
      objectsOfEach,
      callsOfEach,
      ...(values.quiet ? {} : { troubleEveryMs }),
      onRound: (round) => {
        if (process.stderr.isTTY) process.stderr.write(`round ${round} of ${rounds}, ${seconds()}\n`);
      },
      onViolation: (history, verdict) => {
        violated(history, verdict);
        write(`judge it again with: npm run lin -- --check ${save(folder, history, verdict)}`);
      },
    });
    write("");
    for (const line of summary.lines()) write(line);
    write("");
    const list = [...faults].map(([what, count]) => `${count} ${what}`).join(", ");
    write(`${seconds()}; ${list === "" ? "nothing went wrong on purpose" : list}`);
    for (const what of strange) write(`STRANGE ANSWER: ${what}`);
    if (unjudged > 0)
      write(`${unjudged} histories were not judged: the machine's clock was corrected while something expired`);
    const holds = summary.holds && strange.length === 0;
    write(holds ? "every history is linearizable" : `not every history is linearizable; seed ${seed}`);
    return holds;
  } finally {
    await place.remove();
  }
}

const values = options();
if (values.help) write(help);
else {
  try {
    const holds = values.check === undefined ? await run(values) : checkFile(values.check);
    process.exitCode = holds ? 0 : 1;
  } catch (error) {
    process.stderr.write(`lin: nothing is shown, because it could not be done: ${wordsOfError(error)}\n`);
    process.exitCode = 1;
  }
}
