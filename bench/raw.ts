import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { payload, type Stepper } from "./steps.ts";

/** One conditional append, as the writer thread gets it. */
export interface RawAppend {
  readonly row: number;
  readonly version: number;
  readonly body: Uint8Array;
}

/** The bare library: group commits in a worker thread, and nothing else. */
export interface Raw {
  /** Appends to a row of its own, one commit a step. */
  openWriter(row: number): Stepper;
  close(): Promise<void>;
}

const body = new TextEncoder().encode(payload);

/** Opens a database file in a worker thread; everything that arrives during a commit goes into the next one. */
export async function openRaw(file: string): Promise<Raw> {
  const worker = new Worker(new URL("./raw-writer.js", import.meta.url), { workerData: file });
  await once(worker, "message");
  let gathering: { readonly append: RawAppend; readonly done: () => void }[] = [];
  let flying: (() => void)[] = [];
  let landing = false;

  const flush = (): void => {
    if (gathering.length === 0 || flying.length > 0 || landing) return;
    flying = gathering.map(({ done }) => done);
    worker.postMessage(gathering.map(({ append }) => append));
    gathering = [];
  };
  worker.on("message", () => {
    for (const done of flying) done();
    flying = [];
    // Callers that were answered ask again before the next batch leaves; else every other batch would be one append.
    landing = true;
    setImmediate(() => {
      landing = false;
      flush();
    });
  });

  return {
    openWriter: (row) => {
      let version = 0;
      return {
        step: async () => {
          const start = performance.now();
          await new Promise<void>((resolve) => {
            gathering.push({ append: { row, version, body }, done: resolve });
            flush();
          });
          version += 1;
          return { commits: 1, milliseconds: performance.now() - start };
        },
      };
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
