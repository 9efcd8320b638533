import { timeKey } from "../../codec/time-key.ts";
import type { Need } from "../../journal/run/attention.ts";
import { attentionIndexes } from "../../journal/run/index-keys.ts";
import { scanUpTo } from "../scan-up-to.ts";
import { findNeeds, recoverableForMs } from "./attention-list.ts";
import { startOfNeeds } from "./need-position.ts";
import type { InspectPorts } from "./ports.ts";

/** More are not counted: whoever has so many to look at needs no exact number. */
const mostCounted = 1000;

/** How many things need a human, by kind. */
export type NeedCounts = Readonly<Record<Need, number>>;

/** Counts what needs a human over these partitions, each kind up to {@link mostCounted}. */
export async function countNeeds(all: readonly InspectPorts[]): Promise<NeedCounts> {
  const counts = { EFFECT_UNKNOWN: 0, RUN_STUCK: 0, OBLIGATION_STUCK: 0, RUN_RECOVERABLE: 0 };
  for (const ports of all) {
    for (const kind of ["EFFECT_UNKNOWN", "OBLIGATION_STUCK"] as const) {
      counts[kind] += await countThings(ports, kind, mostCounted - counts[kind]);
    }
    const now = ports.clock.now();
    counts.RUN_STUCK += await countKeys(ports, "RUN_STUCK", now, mostCounted - counts.RUN_STUCK);
    const overdue = now - recoverableForMs;
    counts.RUN_RECOVERABLE += await countKeys(ports, "RUN_RECOVERABLE", overdue, mostCounted - counts.RUN_RECOVERABLE);
  }
  return counts;
}

/** A run may have several, so it is asked. */
async function countThings(ports: InspectPorts, kind: Need, most: number): Promise<number> {
  if (most === 0) return 0;
  const wanted = { kinds: [kind], tenantId: null, recoverableForMs, limit: most };
  const { needs } = await findNeeds(ports, wanted, startOfNeeds);
  return Math.min(needs.length, most);
}

/** A run has one key, which is enough to know. */
async function countKeys(
  { store, partition }: InspectPorts,
  kind: Need,
  untilMs: number,
  most: number,
): Promise<number> {
  if (most === 0) return 0;
  const index = `${partition}/${attentionIndexes[kind]}`;
  const { items } = await scanUpTo(store, index, { to: timeKey(untilMs + 1), limit: most });
  return new Set(items.map(({ row }) => row)).size;
}
