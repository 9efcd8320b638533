import type { BrokenStore } from "./broken-store.ts";
import { lostOrTorn, wrongConditions } from "./wrong-appends.ts";
import { wrongContent, wrongTrims } from "./wrong-content.ts";
import { wrongDrops } from "./wrong-drops.ts";
import { wrongFeeds } from "./wrong-feeds.ts";
import { wrongIndexes } from "./wrong-indexes.ts";
import { wrongLives } from "./wrong-lives.ts";
import { wrongReads } from "./wrong-reads.ts";
import { wrongSweeps } from "./wrong-sweeps.ts";

/** Stores that break one sentence of the port each. */
export const brokenStores: readonly BrokenStore[] = [
  ...lostOrTorn,
  ...wrongConditions,
  ...wrongContent,
  ...wrongTrims,
  ...wrongDrops,
  ...wrongSweeps,
  ...wrongReads,
  ...wrongIndexes,
  ...wrongFeeds,
  ...wrongLives,
];
