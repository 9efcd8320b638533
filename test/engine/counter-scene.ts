import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import type { Pipeline, PipelineOptions } from "../../src/engine/pipeline.ts";
import { plainCall } from "../../src/engine/row-slot.ts";
import type { RowSlice, StoreCapabilities } from "../../src/store/store.ts";
import { counter, pipelineOver, type CounterDecide } from "./counter-row.ts";
import { ScriptedStore } from "./scripted-store.ts";

/** A pipeline with its store; several see each other's writes, as servers do. */
interface CounterPipeline {
  readonly store: ScriptedStore;
  readonly pipeline: Pipeline;
  /** One call on the counter of this name. */
  readonly call: <T>(name: string, decide: CounterDecide<T>) => Promise<T>;
}

/** Counters in one store in memory. */
export interface CounterScene {
  readonly memory: MemoryStore;
  readonly open: (
    capabilities?: Partial<StoreCapabilities>,
    options?: Partial<PipelineOptions>,
    seed?: number,
  ) => CounterPipeline;
  /** What is stored of a counter. */
  readonly stored: (name: string) => Promise<RowSlice | null>;
}

/** An empty scene. */
export async function counterScene(): Promise<CounterScene> {
  const memory = new MemoryStore();
  await memory.open();
  return {
    memory,
    open: (capabilities = {}, options = {}, seed = 1) => {
      const store = new ScriptedStore(memory, capabilities);
      const pipeline = pipelineOver(store, options, seed);
      return { store, pipeline, call: (name, decide) => pipeline.execute(counter(name), decide, plainCall) };
    },
    stored: (name) => memory.read(counter(name).row),
  };
}
