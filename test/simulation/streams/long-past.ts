import { partitionOf, valueRow } from "../../../src/codec/row-id.ts";
import { valueRules } from "../../../src/journal/value/value.ts";
import type { Entry } from "../../../src/store/store.ts";
import { writtenNamespace } from "../actors/writer.ts";
import type { SimulatedData } from "../world/simulated-data.ts";

/** So many versions that the next few writes remove some of the oldest (R61). */
const versions = 1195;
const trimBelow = 100;

/** A value that was written very often before the story begins. */
export function writeLongPast(data: SimulatedData, key: string, at: number): void {
  const namespace = writtenNamespace;
  const state = valueRules.absent();
  const entries: Entry[] = [];
  for (let version = 1; version <= versions; version += 1) {
    const value = { namespace, key, value_json: `"long ago ${version}"`, version };
    const meta = { namespace, key, version, writer: "history", value };
    valueRules.evolve(
      state,
      { kind: "value/changed", ref: "v", dims: `${namespace}/${key}`, meta },
      { at, seq: version },
    );
    state.seq = version;
    entries.push({
      seq: version,
      kind: "value/changed",
      ref: "v",
      dims: `${namespace}/${key}`,
      meta: JSON.stringify(meta),
      at,
      trace: "",
    });
  }
  const head = new TextEncoder().encode(valueRules.head(state));
  const row = valueRow(partitionOf(""), namespace, key);
  data.commit({ row, expect: 0, commitId: "history", head, entries, trimBelow, index: { add: [], remove: [] } }, true);
}
