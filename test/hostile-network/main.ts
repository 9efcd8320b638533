// The command of the hostile network: `npm run fuzz:network -- --help`.
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Size } from "./attack.ts";
import { attacks, makeAttack, openTarget, type Place, type Result } from "./campaign.ts";
import { tableOf } from "./result-table.ts";

const help = `Attacks a real server over the network, one way after the other, while a bystander calls.

npm run fuzz:network                           every attack
npm run fuzz:network -- --attack rapid-reset   one of them, or several with commas
               --connections N                 of one attacker; default 500
               --streams N                     idle ones at once; default 10000
               --watchers N                    of one run; default 1000
               --frames N                      of each connection of a flood; default 100000
               --list                          the attacks, and what the server does about them
`;

const options = {
  attack: { type: "string" },
  connections: { type: "string", default: "500" },
  streams: { type: "string", default: "10000" },
  watchers: { type: "string", default: "1000" },
  frames: { type: "string", default: "100000" },
  list: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** What is wrong with the words of the command line. */
const usageFault = (message: string): Error => Object.assign(new TypeError(message), { code: "USAGE" });

function wholeNumber(name: string, text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw usageFault(`--${name} takes a whole number from 1 to 9999999, not "${text}"`);
}

function chosen(names: string | undefined): typeof attacks {
  if (names === undefined) return attacks;
  return names.split(",").map((name) => {
    const found = attacks.find((attack) => attack.name === name);
    if (found !== undefined) return found;
    throw usageFault(`there is no attack "${name}"; there are ${attacks.map((attack) => attack.name).join(", ")}`);
  });
}

async function runAll(list: typeof attacks, size: Size): Promise<void> {
  const root = join(import.meta.dirname, "../../..");
  const tls = join(root, "test/server/tls");
  const place: Place = {
    program: join(root, "dist/cli/main.js"),
    cert: join(tls, "cert.pem"),
    key: join(tls, "key.pem"),
  };
  const results: Result[] = [];
  for (const attack of list) {
    await using target = await openTarget(place, size, attack);
    const result = await makeAttack(attack, target, size, place);
    results.push(result);
    write(`${result.violations.length === 0 ? "holds " : "FAILED"} ${attack.name}: ${attack.what}`);
    for (const violation of result.violations) write(`       ${violation}`);
  }
  for (const line of tableOf(results)) write(line);
  const failed = results.filter(({ violations }) => violations.length > 0).length;
  write(
    failed === 0 ? `all ${results.length} attacks were held off` : `${failed} of ${results.length} attacks were not`,
  );
  if (failed > 0) process.exitCode = 1;
}

try {
  const { values } = parseArgs({ options });
  const { attack, connections, streams, watchers, frames } = values;
  const size: Size = {
    connections: wholeNumber("connections", connections),
    streams: wholeNumber("streams", streams),
    watchers: wholeNumber("watchers", watchers),
    frames: wholeNumber("frames", frames),
  };
  const list = chosen(attack);
  if (values.help) write(help);
  else if (values.list) for (const { name, what, defence } of list) write(`${name}: ${what}. ${defence}`);
  else await runAll(list, size);
} catch (error) {
  // Those of `parseArgs` have a code too.
  if (!(error instanceof TypeError && "code" in error)) throw error;
  process.stderr.write(`${error.message}\n\n${help}`);
  process.exitCode = 2;
}
