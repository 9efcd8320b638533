/** `npm run dup-bench`: see `docs/proof/duplicates.md`. */
import { help, type Options, parseOptions } from "./options.ts";
import { brokenPromises } from "./broken-promises.ts";
import { json, mainTally, tables } from "./report.ts";
import { chosenSystems } from "./systems/chosen.ts";
import { runTrial, type Trial } from "./trial.ts";

/** Progress; the standard output is for the result. */
const say = (line: string): boolean => process.stderr.write(`${line}\n`);

async function main(options: Options): Promise<void> {
  const trials: Trial[] = [];
  const faults: string[] = [];
  for (const { kind, system } of await chosenSystems(options, say)) {
    for (const world of options.worlds.filter((one) => system.worlds.includes(one))) {
      const name = `${system.name}${system.version === "" ? "" : ` (${system.version})`}, world ${world}`;
      try {
        const trial = await runTrial(system, world, options);
        trials.push(trial);
        const { once, twice, lost, unknown } = mainTally(trial);
        say(`${name}: ${once} once, ${twice} twice, ${lost} lost, ${unknown} UNKNOWN (${trial.seconds.toFixed(0)} s)`);
        if (kind === "tape") faults.push(...brokenPromises(trial));
      } catch (error) {
        // One that cannot be tried must not take the results of the others with it.
        faults.push(`${name} could not be tried: ${error instanceof Error ? error.message : String(error)}`);
        say(faults.at(-1) ?? "");
      }
    }
  }
  if (trials.length === 0) say("nothing was tried");
  else process.stdout.write(options.json ? `${json(trials)}\n` : `\n${tables(trials)}`);
  if (faults.length > 0) process.exitCode = 1;
  else if (options.systems.includes("tape")) say("Tape kept what it promises");
  for (const fault of faults) say(fault);
}

function optionsOrExit(): Options {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options !== undefined) return options;
    process.stdout.write(`${help}\n`);
    return process.exit(0);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    say("`npm run dup-bench -- --help` says what there is");
    return process.exit(2);
  }
}

await main(optionsOrExit());
