import { availableParallelism } from "node:os";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { planOf } from "./plan.ts";
import { simulate, type Result } from "./simulation.ts";

/** What came of a seed. */
export interface SeedResult {
  readonly seed: number;
  readonly result: Result;
}

/** Runs seeds, on as many threads as there are processors. `onResult` says whether to go on. */
export async function runSeeds(
  seeds: { readonly from: number; readonly count: number },
  threads: number | undefined,
  program: URL,
  onResult: (result: SeedResult) => boolean,
): Promise<void> {
  let next = seeds.from;
  let end = seeds.from + seeds.count;
  const serve = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      let open = 0;
      const give = (): void => {
        if (next < end) {
          worker.postMessage(next);
          next += 1;
          open += 1;
        } else if (open === 0) {
          resolve(worker.terminate().then(() => undefined));
        }
      };
      worker.on("message", (result: SeedResult) => {
        open -= 1;
        if (!onResult(result)) end = next;
        give();
      });
      worker.on("error", reject);
      // One more than it works on, so that it never waits.
      give();
      give();
    });
  const count = Math.min(threads ?? availableParallelism(), seeds.count);
  await Promise.all(Array.from({ length: count }, () => serve(new Worker(program))));
}

/** The other side: simulates the seeds it is given. */
export function serveSeeds(): void {
  if (isMainThread || parentPort === null) throw new Error("this is not a thread of the simulation");
  const port = parentPort;
  let last: Promise<void> = Promise.resolve();
  port.on("message", (seed: number) => {
    last = last.then(async () => {
      const result = await simulate(planOf(seed));
      port.postMessage({ seed, result } satisfies SeedResult);
    });
  });
}
