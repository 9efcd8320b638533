import { acknowledged, type Tally } from "../../bench/soak/tally.ts";
import type { PowerLossResult } from "./power-loss/power-loss.ts";

/** The rest of them says the same. */
const shown = 40;

/** What must not have happened, and the line that says whether it has. */
export function closingLines(tally: Tally, seed: number): readonly string[] {
  const { violations } = tally;
  const counted = (what: string): string => tally.counted(what).toLocaleString("en-US");
  const others = violations.length - tally.counted("lost") - tally.counted("duplicated");
  return [
    "",
    `${counted("calls at their step")} calls were at their step when something was killed; ${counted("calls missed")} had passed it`,
    `${counted("crashes at any moment")} kills at any moment; ${counted("entries")} entries of the load compared with what its clients were told`,
    ...violations.slice(0, shown),
    ...(violations.length > shown ? [`... and ${violations.length - shown} more`] : []),
    `crashes ${counted("crashes")}, acknowledged writes ${counted(acknowledged)}, lost ${counted("lost")}, ` +
      `duplicated ${counted("duplicated")}${others > 0 ? `, wrong otherwise ${others}` : ""} (seed ${seed})`,
  ];
}

/** What came of losing power; counts it as crashes. */
export function powerLossLines(result: PowerLossResult, tally: Tally): readonly string[] {
  const images = [...result.images.values()].reduce((sum, count) => sum + count, 0);
  tally.count("crashes", images);
  tally.count(acknowledged, result.acknowledged);
  return [
    "",
    `power lost: ${result.operations} operations on the file recorded, ${result.syncs} of them syncs, ${result.acknowledged} calls answered meanwhile`,
    ...Array.from(
      result.images,
      ([survival, count]) => `${String(count).padStart(6)} files in which ${survival} was kept of what was not synced`,
    ),
  ];
}
