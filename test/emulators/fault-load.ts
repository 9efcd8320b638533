import { status as codes } from "@grpc/grpc-js";
import { expect, onTestFinished } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Store } from "../../src/store/store.ts";
import { seededRandom } from "../../src/testing/index.ts";
import { pause, within } from "../../src/testing/test-store/material.ts";
import { AppendLoad } from "../postgres/append-load.ts";
import { ChargeLoad } from "../postgres/charge-load.ts";
import type { CallAct, GrpcProxy } from "./grpc-proxy.ts";

/** A store whose calls go through a proxy of its own. */
export interface ProxiedStore {
  readonly store: Store;
  readonly proxy: GrpcProxy;
}

const pass: CallAct = { kind: "pass" };
/** Of {@link untilUnknown}. */
const mostRounds = 10;
/** Longer than the patience of an impatient store. */
const longMs = 200;

const mishaps: readonly (() => CallAct)[] = [
  () => ({ kind: "cut" }),
  () => ({ kind: "cut-answer" }),
  () => ({ kind: "cut-answer" }),
  () => ({ kind: "refuse", code: codes.UNAVAILABLE }),
  () => ({ kind: "hold", until: pause(longMs) }),
];

/** Calls fail before, during and after, as the seed decides. @param more What goes wrong besides. */
function mishapsOf(seed: number, more: readonly (() => CallAct)[]): () => CallAct {
  const random = seededRandom(seed);
  const acts = [...mishaps, ...more];
  return () => (random.chance(0.04) ? (acts[random.int(acts.length)]?.() ?? pass) : pass);
}

/** How a load is to go. */
export interface FaultLoad {
  readonly seed: number;
  /** Answers to wait for while things go wrong. */
  readonly answers: number;
  readonly more?: readonly (() => CallAct)[];
}

async function underFaults(
  proxied: readonly ProxiedStore[],
  { seed, more = [] }: FaultLoad,
  work: () => Promise<void>,
): Promise<void> {
  for (const [i, { proxy }] of proxied.entries()) proxy.act = mishapsOf(seed + i, more);
  await work();
  for (const { proxy } of proxied) proxy.act = () => pass;
}

/** Works on until an outcome was unknown: which calls fail is drawn call by call, and may spare the commits of a while. */
async function untilUnknown(work: () => Promise<void>, unknown: () => number): Promise<void> {
  for (let round = 0; round === 0 || (round < mostRounds && unknown() === 0); round += 1) await work();
}

/** Appends through all of these stores while calls fail, then compares what was said with what is there. */
export async function appendsUnderFaults(
  proxied: readonly ProxiedStore[],
  load: FaultLoad,
  fresh: () => Promise<Store>,
): Promise<void> {
  const stores = proxied.map(({ store }) => store);
  const appends = new AppendLoad(stores, 2);
  await underFaults(proxied, load, () =>
    untilUnknown(
      () => appends.progress(load.answers),
      () => appends.count("unknown"),
    ),
  );
  await appends.progress(50);
  await appends.stop();
  expect(appends.count("unknown")).toBeGreaterThan(0);
  await appends.verify(await fresh());
}

/** The same with callers of engines on these stores, who send again what fails. */
export async function chargesUnderFaults(proxied: readonly ProxiedStore[], load: FaultLoad): Promise<void> {
  const engines = proxied.map(({ store }) => new Engine({ store, reactors: false }));
  onTestFinished(async () => {
    for (const engine of engines) await engine.close();
  });
  const tapes = engines.map((engine) => engine.tape(localAccess));
  const charges = new ChargeLoad(tapes, 3);
  const unknown = (): number => engines.reduce((sum, engine) => sum + engine.stats().unknownOutcomes, 0);
  await underFaults(proxied, load, () => untilUnknown(() => charges.progress(load.answers), unknown));
  await within(30_000, "the end of the load", charges.stop());
  expect(unknown()).toBeGreaterThan(0);
  for (const tape of tapes.slice(0, 1)) await charges.verify(tape);
}
