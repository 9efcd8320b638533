/**
 * Durable appends a second through the store port, in batches of as many as there are callers, beside the bare SQLite
 * library measured in the same minutes. `npm run build && npx tsc -p bench && node build/bench/store-append.js`
 *
 * Arguments: [milliseconds a measurement] [rounds]
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRaw } from "./raw.ts";
import { measure, payload, quantile, type Sample, type Stepper } from "./steps.ts";
import { createStore } from "../src/store/open-store.ts";
import type { Append, RowId, Store } from "../src/store/store.ts";

interface Contender {
  open(caller: number): Stepper;
  close(): Promise<void>;
}

const milliseconds = Number(process.argv[2] ?? 1500);
const rounds = Number(process.argv[3] ?? 3);
const concurrencies = [1, 16, 64, 256] as const;
const appendsPerRow = 20;

const encoder = new TextEncoder();
const body = encoder.encode(payload);
const meta = JSON.stringify({
  tool: "transfer",
  decision_index: 3,
  idempotency_key: "run-0123456789abcdef/decision-3/transfer/0",
  status: "PENDING",
  semantics: "IDEMPOTENT",
  dispatch_mode: "INLINE",
});
const head = encoder.encode(JSON.stringify({ format: 1, kind: "run", status: "RUNNING", pad: "x".repeat(400) }));

/** Everything that arrives during a commit goes into the next one, as in the engine. */
async function overStore(folder: string): Promise<Contender> {
  const store = await createStore(`sqlite:${join(folder, "tape.db")}`);
  await store.migrate({ dryRun: false });
  const append = gatherer(store);
  return {
    open: (caller) => {
      let version = 0;
      let generation = 0;
      return {
        step: async () => {
          if (version === appendsPerRow) [version, generation] = [0, generation + 1];
          const start = performance.now();
          await append(step(`bench/run/${caller}-${generation}` as RowId, version));
          version += 1;
          return { commits: 1, milliseconds: performance.now() - start };
        },
      };
    },
    close: () => store.close(),
  };
}

const step = (row: RowId, version: number): Append => ({
  row,
  expect: version,
  commitId: randomBytes(12).toString("base64url"),
  head,
  entries: [
    {
      seq: version + 1,
      kind: "effect/pending",
      ref: `e/${version}`,
      dims: "transfer/run",
      meta,
      body,
      at: Date.now(),
      trace: "",
    },
  ],
  index: { add: version === 0 ? [{ index: "runs", key: row }] : [], remove: [] },
});

function gatherer(store: Store): (append: Append) => Promise<void> {
  let gathering: { readonly append: Append; readonly done: () => void }[] = [];
  let isFlying = false;
  const flush = async (): Promise<void> => {
    isFlying = true;
    while (gathering.length > 0) {
      const flying = gathering;
      gathering = [];
      const outcomes = await store.append(flying.map(({ append }) => append));
      for (const [i, { done }] of flying.entries()) {
        if (outcomes[i]?.kind !== "committed") throw new Error(`append: ${JSON.stringify(outcomes[i])}`);
        done();
      }
      // Callers that were answered ask again before the next batch leaves.
      await Promise.resolve();
      await new Promise(setImmediate);
    }
    isFlying = false;
  };
  return (append) =>
    new Promise((resolve, reject) => {
      gathering.push({ append, done: resolve });
      if (!isFlying) flush().catch(reject);
    });
}

async function bare(folder: string): Promise<Contender> {
  const raw = await openRaw(join(folder, "raw.db"));
  return { open: (caller) => raw.openWriter(caller), close: () => raw.close() };
}

async function sample(open: (folder: string) => Promise<Contender>, callers: number): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), "tape-bench-"));
  const contender = await open(folder);
  try {
    return await measure(
      Array.from({ length: callers }, (_, caller) => contender.open(caller)),
      milliseconds,
    );
  } finally {
    await contender.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;

console.log(`medians of ${rounds} interleaved rounds of ${milliseconds} ms; appends a second, p50 and p99 in ms`);
for (const callers of concurrencies) {
  const samples: Record<"raw" | "store", Sample[]> = { raw: [], store: [] };
  for (let round = 0; round < rounds; round += 1) {
    samples.raw.push(await sample(bare, callers));
    samples.store.push(await sample(overStore, callers));
  }
  const rate = (of: readonly Sample[]): number => median(of.map((one) => one.commits / one.seconds));
  const late = (of: readonly Sample[], q: number): string =>
    median(of.map((one) => quantile(one.latencies, q))).toFixed(2);
  const line = (name: "raw" | "store"): string =>
    `${name} ${Math.round(rate(samples[name])).toString().padStart(7)} (${late(samples[name], 0.5)}, ${late(samples[name], 0.99)})`;
  const ratio = (100 * rate(samples.store)) / rate(samples.raw);
  console.log(
    `${callers.toString().padStart(4)} callers: ${line("raw")}   ${line("store")}   ${ratio.toFixed(0)} % of raw`,
  );
}
