import { allRunsIndex } from "../../journal/run/list-key.ts";
import type { DescribeStoreResponse } from "../../model/inspect.ts";
import type { StoreCapabilities } from "../../store/store.ts";
import { scanUpTo } from "../scan-up-to.ts";
import type { InspectPorts } from "./ports.ts";

/** So many keys are one read on any store, and counting them is cheap. */
const mostCounted = 1000;

/** DescribeStore (R85). The round trip is the read that counts the caller's runs. */
export async function describeStore({ store, partition, version }: InspectPorts): Promise<DescribeStoreResponse> {
  const begun = performance.now();
  await store.scan(`${partition}/ping`, { limit: 1 });
  const roundTripUs = Math.max(1, Math.round((performance.now() - begun) * 1000));
  const { items, next } = await scanUpTo(store, `${partition}/${allRunsIndex}`, { limit: mostCounted });
  return {
    kind: store.capabilities.kind,
    formatVersion: store.capabilities.formatVersion,
    capabilities: named(store.capabilities),
    roundTripUs,
    rowCounts: next === undefined ? { run: items.length } : {},
    serverVersion: version,
  };
}

const named = (facts: StoreCapabilities): Readonly<Record<string, string>> => ({
  durable: String(facts.durable),
  exclusive: String(facts.exclusive),
  atomic_index: String(facts.atomicIndex),
  concurrent_appends: String(facts.concurrentAppends),
  max_batch: String(facts.maxBatch),
  inline_body: String(facts.inlineBodyBytes),
  wake_delay_ms: String(facts.wakeDelayMs),
});
