import { latePoint } from "./crash-point.ts";
import { mainTally } from "./report.ts";
import type { Trial } from "./trial.ts";

/**
 * What Tape promises of a trial, as sentences about what was broken: it never acts twice and loses no act, and it stops
 * as UNKNOWN only where the world neither honours keys nor can be asked. Only of a late request it promises less: where it
 * looked, and the world said that nothing was done, nobody can help a world that then does it.
 */
export function brokenPromises(trial: Trial): readonly string[] {
  const { world, system } = trial;
  const { twice, lost, unknown } = mainTally(trial);
  const late = trial.points[latePoint];
  const broken = [
    twice > 0 && `acted twice in ${twice} runs`,
    lost > 0 && `lost the act of ${lost} runs`,
    unknown > 0 && world !== "blind" && `left ${unknown} runs UNKNOWN that could be settled`,
    late.twice > 0 && world !== "look-up" && `acted twice in ${late.twice} runs because of a late request`,
    late.lost > 0 && `lost the act of ${late.lost} runs whose request was late`,
  ];
  return broken.filter((one) => one !== false).map((one) => `${system}, world ${world}: ${one}`);
}
