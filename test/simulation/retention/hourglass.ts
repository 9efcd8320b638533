import type { Auditor } from "../audit/auditor.ts";
import { isOver } from "../audit/run-record.ts";
import type { World } from "../world/world.ts";

/** A chore is done again a minute after it was. */
const minuteMs = 61_000;

/** Lets a minute pass when every run is over, so that they become old, and seldom before. */
export async function hourglassRound(world: World, { runs }: Auditor): Promise<void> {
  const isQuiet = [...runs.values()].every(({ status }) => isOver(status));
  if (!isQuiet && !world.random.chance(0.05)) return;
  world.tell(() => "   a minute passes");
  world.scheduler.pass(minuteMs);
}
