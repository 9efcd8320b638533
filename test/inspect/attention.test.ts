import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AttentionItem, ListAttentionRequest } from "../../src/model/inspect.ts";
import type { Tape } from "../../src/model/tape.ts";
import { seededRandom } from "../../src/testing/random.ts";
import { upTo } from "../../src/testing/test-tape/assertions.ts";
import { engineScene, newRun, type EngineScene } from "../engine/engine-scene.ts";

let scene: EngineScene;
beforeEach(async () => {
  scene = await engineScene();
});
afterEach(async () => {
  await scene.close();
});

/** An outbox effect of which nobody knows whether it happened. */
async function lose(tape: Tape, runId: string, customKey: string): Promise<void> {
  const effect = { decisionIndex: 0, toolName: "wire", connector: "bank", scope: "pay" } as const;
  await tape.beginEffect({ ...effect, runId, customKey, dispatchMode: "OUTBOX", semantics: "NON_IDEMPOTENT" });
  await tape.claimEffectDispatch({ runId, idempotencyKey: customKey, claimer: "d" });
  await tape.recordDispatchAttempt({ runId, idempotencyKey: customKey, error: "", nextDispatchAtMs: 0 });
}

async function pages(tape: Tape, request: ListAttentionRequest): Promise<AttentionItem[][]> {
  const all: AttentionItem[][] = [];
  let pageToken = "";
  do {
    const { items, nextPageToken } = await tape.inspect.listAttention({ ...request, pageToken });
    all.push([...items]);
    pageToken = nextPageToken;
  } while (pageToken !== "");
  return all;
}

const sinceOf = (items: readonly AttentionItem[]): number[] => items.map(({ sinceMs }) => sinceMs);

describe("what needs a human", () => {
  it("comes in order over many runs with several things each, in pages of any size, each thing once", async () => {
    const { tape } = scene.open();
    const random = seededRandom(7);
    const runs = await Promise.all(upTo(90).map(() => newRun(tape)));
    for (const i of upTo(200)) {
      await lose(tape, random.pick(runs), `wire ${i}`);
      if (random.chance(0.7)) await scene.clock.advance(random.int(3));
    }
    for (const runId of runs.slice(0, 30)) {
      await tape.endRun({ runId, status: "STUCK" });
      await scene.clock.advance(1);
    }
    for (const pageSize of [1, 7, 64, 1000]) {
      const items = (await pages(tape, { pageSize })).flat();
      expect(sinceOf(items)).toEqual(sinceOf(items).toSorted((a, b) => a - b));
      expect(new Set(items.map(({ kind, run, effect }) => `${kind} ${run.runId} ${effect?.seq}`)).size).toBe(230);
      expect(items).toHaveLength(230);
    }
  });

  it("is found for a page near the end without asking again whom the pages before gave", async () => {
    const { tape, store } = scene.open({}, { exclusive: false });
    for (const i of upTo(300)) {
      await lose(tape, await newRun(tape), `wire ${i}`);
      await scene.clock.advance(1);
    }
    const reads: number[] = [];
    let pageToken = "";
    do {
      store.reads.length = 0;
      ({ nextPageToken: pageToken } = await tape.inspect.listAttention({ pageSize: 10, pageToken }));
      reads.push(store.reads.length);
    } while (pageToken !== "");
    expect(reads).toHaveLength(30);
    expect(reads.at(-2)).toBeLessThanOrEqual(reads[0] ?? 0);
  });

  it("goes on while it is mended: what was settled is gone, the rest comes once", async () => {
    const { tape } = scene.open({}, { atomicIndex: false });
    const runs = await Promise.all(upTo(20).map(() => newRun(tape)));
    for (const [i, runId] of runs.entries()) {
      await lose(tape, runId, `first ${i}`);
      await scene.clock.advance(1);
      await lose(tape, runId, `second ${i}`);
    }
    const seen: string[] = [];
    let pageToken = "";
    do {
      const { items, nextPageToken } = await tape.inspect.listAttention({ pageSize: 3, pageToken });
      for (const { run, effect } of items) {
        const idempotencyKey = effect?.idempotencyKey ?? "";
        seen.push(idempotencyKey);
        await tape.reconcileEffect({ runId: run.runId, idempotencyKey, resolvedStatus: "FAILED" });
      }
      pageToken = nextPageToken;
    } while (pageToken !== "");
    expect(seen.toSorted()).toEqual(
      upTo(20)
        .flatMap((i) => [`first ${i}`, `second ${i}`])
        .toSorted(),
    );
    expect(await tape.inspect.listAttention()).toEqual({ items: [], nextPageToken: "" });
  });

  it("is counted for operators over all tenants that have called, each kind up to 1,000", async () => {
    const { engine, tape } = scene.open();
    const red = engine.tape({ partition: "red", tenant: "red" });
    const runs = await Promise.all(upTo(100).map(() => newRun(tape)));
    await Promise.all(
      runs.map(async (runId, i) => {
        for (const n of upTo(i === 0 ? 5 : 10)) await lose(tape, runId, `wire ${n}`);
      }),
    );
    const { runId: stuck } = await red.beginRun({ appName: "app", invocationId: "stuck" });
    await red.endRun({ runId: stuck, status: "STUCK" });
    await red.beginRun({ appName: "app", invocationId: "left", leaseTtlMs: 1000 });
    await scene.clock.advance(61_001);
    expect(await engine.figures()).toEqual({
      needs: { EFFECT_UNKNOWN: 995, RUN_STUCK: 1, OBLIGATION_STUCK: 0, RUN_RECOVERABLE: 1 },
      feedLagMs: 0,
    });
    for (const n of upTo(10)) await lose(tape, runs[0] ?? "", `more ${n}`);
    expect((await engine.figures()).needs.EFFECT_UNKNOWN).toBe(1000);
  });
});
