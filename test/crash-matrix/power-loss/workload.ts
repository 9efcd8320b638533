import { connectTape } from "../../../src/client/connect-tape.ts";
import type { Tape } from "../../../src/model/tape.ts";
import type { Random } from "../../../src/testing/random.ts";
import type { CrashServer } from "../crash-server.ts";
import type { Facts } from "../scenarios/facts.ts";
import type { Prepared, Scenario } from "../scenarios/scenario.ts";
import { matrixToken } from "../server/tenants.ts";

/** A call of the workload, and what came of it. */
export interface Done {
  readonly name: string;
  readonly scenario: Scenario;
  readonly prepared: Prepared;
}

/** How many callers. */
const width = 4;

/** The marks of a scenario: the request ids that the server notes when it answers. */
export interface Marks {
  readonly prepared: string;
  readonly call: string;
  readonly neighbour: string;
}

export const marksOf = (name: string): Marks => ({
  prepared: `${name}/prepared`,
  call: name,
  neighbour: `${name}/neighbour`,
});

/** Several callers do all scenarios, each once. */
export async function work(
  server: CrashServer,
  scenarios: readonly Scenario[],
  random: Random,
  part: string,
): Promise<readonly Done[]> {
  const tape = connectTape(`tape://127.0.0.1:${server.port}`, { token: matrixToken });
  const done: Done[] = [];
  const rest = random.shuffle(scenarios).entries();
  const caller = async (): Promise<void> => {
    for (const [turn, scenario] of rest) {
      const name = `power-loss-${part}-${turn}-`;
      const marks = marksOf(name);
      const prepared = await scenario.prepare(tape, name, turn);
      await tape.listReactions({ subjectPattern: "/tape/none" }, { requestId: marks.prepared });
      await Promise.all([
        prepared.call(tape, { requestId: marks.call }),
        prepared.neighbour?.(tape, { requestId: marks.neighbour }),
      ]);
      done.push({ name, scenario, prepared });
    }
  };
  try {
    await Promise.all(Array.from({ length: width }, caller));
    return done;
  } finally {
    await tape.close();
  }
}

/** What all of it comes to, with no power lost. */
export async function factsOf(tape: Tape, done: readonly Done[]): Promise<ReadonlyMap<string, Facts>> {
  const facts = new Map<string, Facts>();
  for (const { name, prepared } of done) facts.set(name, await prepared.facts(tape));
  return facts;
}
