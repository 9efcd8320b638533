import { expect, onTestFinished } from "vitest";
import { partitionOf, payloadsIndex, retireIndex, runRow } from "../../src/codec/row-id.ts";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Store } from "../../src/store/store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

const hourMs = 3_600_000;

/** Takes a run through its life on a real store: recorded, ended, compacted, deleted. */
export async function mustRetireRuns(store: Store): Promise<void> {
  const clock = new FakeClock(Date.now());
  const retention = { payloadsMs: hourMs, runsMs: 3 * hourMs };
  const engine = new Engine({ store, clock, retention, reactors: false });
  onTestFinished(() => engine.close());
  engine.start();
  const tape = engine.tape(localAccess);
  const identity = { appName: "app", userId: "user", sessionId: "session" };
  const old: string[] = [];
  for (const invocationId of ["one", "two"]) {
    const { runId } = await tape.beginRun({ ...identity, invocationId });
    const responseJson = JSON.stringify("x".repeat(100_000));
    await tape.recordDecision({ runId, decisionIndex: 0, responseJson });
    const { idempotencyKey } = await tape.beginEffect({ runId, toolName: "t", requestJson: "[1]" });
    await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED", responseJson: "[2]" });
    await tape.endRun({ runId, status: "TERMINAL" });
    old.push(runId);
  }
  const { runId: live } = await tape.beginRun({ ...identity, invocationId: "live" });
  const rows = old.map((runId) => runRow(partitionOf(""), runId));
  /** Bodies of both runs, and entries. */
  const left = async (): Promise<readonly [number, number]> => {
    const slices = await Promise.all(rows.map((row) => store.read(row, { bodies: true })));
    const entries = slices.flatMap((slice) => slice?.entries ?? []);
    return [entries.filter(({ body }) => body !== undefined).length, entries.length];
  };
  const passing = async (ms: number): Promise<readonly [number, number]> => {
    await clock.advance(ms);
    return left();
  };
  expect(await left()).toEqual([6, 10]);
  await clock.advance(hourMs);
  await expect.poll(() => passing(60_000)).toEqual([0, 10]);
  await clock.advance(2 * hourMs);
  await expect.poll(() => passing(60_000)).toEqual([0, 0]);
  expect(await tape.beginRun({ ...identity, invocationId: "one" })).toMatchObject({
    runId: old[0],
    status: "TERMINAL",
  });
  expect(await tape.getRun({ runId: live })).toMatchObject({ status: "RUNNING", seqCursor: 1 });
  const keys = async (): Promise<number> => {
    const pages = await Promise.all([payloadsIndex, retireIndex].map((index) => store.scan(index, { limit: 10 })));
    return pages.flatMap(({ items }) => items).length;
  };
  // Where the index is not atomic, keys go a little later.
  await expect.poll(keys).toBe(0);
  expect(engine.stats()).toMatchObject({ compactedRuns: 2, deletedRuns: 2, retentionFailures: 0 });
}
