import { Engine, type EngineOptions } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { BeginEffectRequest } from "../../src/model/effect.ts";
import type { Tape } from "../../src/model/tape.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import type { StoreCapabilities } from "../../src/store/store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { ScriptedStore } from "./scripted-store.ts";

/** One or more engines over one store in memory, on one clock. */
export interface EngineScene {
  readonly memory: MemoryStore;
  readonly clock: FakeClock;
  /** One more engine, with a store of its own script. */
  open(options?: Partial<EngineOptions>, capabilities?: Partial<StoreCapabilities>): OpenEngine;
  close(): Promise<void>;
}

/** An engine with its tape and its store. */
interface OpenEngine {
  readonly engine: Engine;
  readonly store: ScriptedStore;
  readonly tape: Tape;
}

/** An empty scene. */
export async function engineScene(): Promise<EngineScene> {
  const memory = new MemoryStore();
  await memory.open();
  const clock = new FakeClock();
  const engines: Engine[] = [];
  return {
    memory,
    clock,
    open: (options = {}, capabilities = {}) => {
      const store = new ScriptedStore(memory, capabilities);
      const engine = new Engine({ store, clock, reactors: false, ...options });
      engines.push(engine);
      engine.start();
      return { engine, store, tape: engine.tape(localAccess) };
    },
    close: async () => {
      await Promise.all(engines.map((engine) => engine.close()));
      await memory.close();
    },
  };
}

let runs = 0;

/** A new run that has the scope `pay`. */
export async function newRun(tape: Tape): Promise<string> {
  runs += 1;
  const { runId } = await tape.beginRun({ appName: "app", invocationId: `run ${runs}`, scopes: ["pay"] });
  return runId;
}

/** A new outbox effect of the run. */
export async function newEffect(
  tape: Tape,
  runId: string,
  customKey: string,
  request: Partial<BeginEffectRequest> = {},
): Promise<string> {
  const effect = { runId, decisionIndex: 0, toolName: "mail", customKey, connector: "post", scope: "pay" } as const;
  await tape.beginEffect({ ...effect, dispatchMode: "OUTBOX", ...request });
  return customKey;
}
