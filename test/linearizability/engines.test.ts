import { expect, it } from "vitest";
import { seededRandom } from "../../src/testing/random.ts";
import { Engines } from "./engines.ts";
import { playRound } from "./round.ts";
import { judge } from "./verdicts.ts";
import { objectKinds } from "./workload/player.ts";

/** In the last one, a renewal whose answer was lost was once decided again after another server had written the row. */
const seeds = [1, 2, 3, 4, 5, 6, 7, 1302];

it.each(seeds)(
  "several engines on one store, all of which fail now and then, answer as one that does not would (seed %i)",
  async (seed) => {
    const random = seededRandom(seed);
    await using engines = await Engines.open({
      random: random.fork(),
      engines: 2 + random.int(3),
      machines: 3 + random.int(5),
      nemesis: true,
    });
    const strange: string[] = [];
    const onStrangeAnswer = (what: string): unknown => strange.push(what);
    const round = { kinds: objectKinds, objectsOfEach: 3, callsOfEach: 14, prefix: "h", onStrangeAnswer };
    const histories = await playRound(engines.world, round, random);
    const verdicts = histories.map((history) => `${history.object}: ${judge(history).kind}`);
    expect(verdicts).toEqual(histories.map(({ object }) => `${object}: linearizable`));
    expect(strange).toEqual([]);
    const unknown = histories.flatMap(({ operations }) => operations).filter(({ answer }) => answer === undefined);
    expect(unknown.length).toBeGreaterThan(0);
  },
);
