import { expect, it, onTestFinished } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Tape } from "../../src/model/tape.ts";
import { serviceLimits } from "../../src/store/bigtable/row-changes.ts";
import type { Store } from "../../src/store/store.ts";
import { appendTo, commit, entry, keysOf, patternBytes, rowOf, upTo } from "../../src/testing/test-store/material.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { gate } from "../emulators/gate.ts";
import { Scene } from "./fixture.ts";
import { rowsOfJournal } from "./raw-table.ts";

function tapeOn(store: Store): Tape {
  const engine = new Engine({ store, reactors: false });
  onTestFinished(() => engine.close());
  return engine.tape(localAccess);
}

describeBigtable("Bigtable, rows of the table", (host) => {
  it("one run is one row, beside the keys that find it", async () => {
    const scene = new Scene(host);
    const tape = tapeOn(await scene.open());
    const { runId } = await tape.beginRun({ appName: "app", invocationId: "i", leaseOwner: "me" });
    await tape.recordDecision({ runId, decisionIndex: 0, model: "m", requestJson: "{}", responseJson: '{"a":1}' });
    const { idempotencyKey } = await tape.beginEffect({ runId, toolName: "pay", requestJson: "{}" });
    await tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED", responseJson: "{}" });
    await tape.endRun({ runId, status: "TERMINAL" });
    // In the lists of all runs, of its app and of its status, and of what may be compacted; the place in the list to reconcile is tidied later.
    await expect
      .poll(async () => (await rowsOfJournal(scene.url())).filter(({ key }) => key.startsWith("x#")).length)
      .toBeLessThanOrEqual(6);
    const rows = await rowsOfJournal(scene.url());
    const journal = rows.filter(({ key }) => key.startsWith("r#"));
    expect(journal).toHaveLength(1);
    expect([...(journal[0]?.cells.keys() ?? [])]).toEqual([
      "b0000000002",
      "b0000000003",
      "b0000000004",
      "h",
      ...upTo(5).map((i) => `j000000000${i + 1}`),
      "v",
    ]);
    expect(journal[0]?.cells.get("v")?.toString()).toMatch(/^t1 5\.0 \S+ \d{13} \d+ 5$/);
    expect(rows.filter(({ key }) => key.startsWith("f#"))).toHaveLength(5);
    expect(rows.filter(({ key }) => key.startsWith("meta#"))).toHaveLength(1);
  });

  it("1,000 runs that begin in one second are spread over all ranges of rows, index and feed", async () => {
    const scene = new Scene(host);
    const tape = tapeOn(await scene.open());
    await Promise.all(
      upTo(1000).map((i) => tape.beginRun({ appName: "app", invocationId: `i-${i}`, leaseOwner: "me" })),
    );
    const keys = (await rowsOfJournal(scene.url())).map(({ key }) => key);
    /** Ranges of a space, and how many keys the fullest one has for each that it would have if all were alike. */
    const spread = (space: string): { readonly ranges: number; readonly fullest: number } => {
      const ranges = new Map<string, number>();
      for (const key of keys.filter((one) => one.startsWith(`${space}#`))) {
        const range = key.split("#")[1] ?? "";
        ranges.set(range, (ranges.get(range) ?? 0) + 1);
      }
      const total = [...ranges.values()].reduce((a, b) => a + b, 0);
      return { ranges: ranges.size, fullest: (Math.max(...ranges.values()) * ranges.size) / total };
    };
    for (const space of ["x", "f"]) {
      const { ranges, fullest } = spread(space);
      expect(ranges).toBe(16);
      expect(fullest).toBeLessThan(2);
    }
    expect(spread("r").ranges).toBeGreaterThan(200);
  });

  it("a removal that comes late does not take a key that another server has added meanwhile", async () => {
    const scene = new Scene(host, 10_000);
    const { store: slow, proxy } = await scene.openProxied();
    const other = await scene.open();
    const key = { index: "i", key: "k" };
    await commit(slow, appendTo("a", 0, { add: [key] }));
    const paused = gate();
    proxy.forget();
    // The first bulk call is the feed key, the second one the removal.
    proxy.act = ({ method, count }) =>
      method === "MutateRows" && count === 1 ? { kind: "hold", until: paused.opened } : { kind: "pass" };
    await commit(slow, appendTo("a", 1, { remove: [key] }));
    await expect.poll(() => proxy.counts.get("MutateRows")).toBe(2);
    await commit(other, appendTo("a", 2, { add: [key] }));
    paused.open();
    await proxy.idle();
    expect(await keysOf(other, "i")).toEqual(["k>a"]);
    await commit(slow, appendTo("a", 3, { remove: [key] }));
    await expect.poll(() => keysOf(other, "i")).toEqual([]);
  });

  it("large bodies have rows of their own, which go when their entries do", async () => {
    const scene = new Scene(host);
    const store = await scene.open();
    const bodies = [10, 16 * 1024, 16 * 1024 + 1, 9_000_000].map((length, i) => patternBytes(length, i));
    await commit(store, appendTo("a", 0, { entries: bodies.map((body, i) => entry(i + 1, { body })) }));
    const apart = async (): Promise<readonly number[]> =>
      (await rowsOfJournal(scene.url())).filter(({ key }) => key.startsWith("o#")).map(({ cells }) => cells.size);
    expect((await apart()).toSorted((a, b) => a - b)).toEqual([1, 3]);
    expect((await rowOf(store, "a")).entries.map(({ body }) => body?.length)).toEqual(bodies.map((one) => one.length));
    await commit(store, appendTo("a", 1, { entries: [], trimBelow: 4 }));
    await expect.poll(apart).toEqual([3]);
    await commit(store, appendTo("a", 2, { entries: [], trimBelow: 5 }));
    await expect.poll(apart).toEqual([]);
    expect((await rowOf(store, "a")).entries).toEqual([]);
  });
});

describeBigtable("Bigtable, limits", (host) => {
  const limits = { ...serviceLimits, warnBytes: 20_000, rowBytes: 40_000, lastBytes: 50_000 };

  it("a row that grows large is reported once; one that would be too large is refused, and says what to do", async () => {
    const scene = new Scene(host);
    const warned: string[] = [];
    const gauges = new Map<string, number>();
    const observer = {
      warn: (message: string) => void warned.push(message),
      gauge: (name: string, _help: string, value: number) => void gauges.set(name, value),
    };
    const tape = tapeOn(await scene.open({ limits, observer }));
    const { runId } = await tape.beginRun({ appName: "app", invocationId: "i", leaseOwner: "me" });
    const other = await tape.beginRun({ appName: "app", invocationId: "j", leaseOwner: "me" });
    const payload = JSON.stringify("x".repeat(9000));
    let refusal: unknown;
    let recorded = 0;
    for (; recorded < 10 && refusal === undefined; recorded += 1) {
      const [mine, theirs] = await Promise.allSettled([
        tape.recordDecision({ runId, decisionIndex: recorded, responseJson: payload }),
        tape.recordDecision({ runId: other.runId, decisionIndex: recorded }),
      ]);
      expect(theirs.status, "others in the same batch go on").toBe("fulfilled");
      if (mine.status === "rejected") refusal = mine.reason;
    }
    expect(recorded).toBe(5);
    expect(refusal).toMatchObject({ reason: "SIZE_LIMIT", code: "RESOURCE_EXHAUSTED" });
    expect(String(refusal)).toMatch(/is full.*end this run and go on in a new one/);
    expect(String(refusal)).not.toContain("xxx");
    expect(warned).toEqual([expect.stringMatching(/row ~\/run\/\S+ holds \d+ bytes, and no more than 40000/)]);
    expect(gauges.get("bigtable_largest_row_bytes")).toBeGreaterThan(20_000);
    expect((await tape.getDecision({ runId, decisionIndex: 3 })).found).toBe(true);
    expect((await tape.getDecision({ runId, decisionIndex: 4 })).found).toBe(false);
    // What is small still goes in, so that the run can be ended.
    await tape.recordDecision({ runId, decisionIndex: 4, responseJson: JSON.stringify("x".repeat(3000)) });
    expect((await tape.endRun({ runId, status: "TERMINAL" })).run.status).toBe("TERMINAL");
    const full = tape.recordDecision({
      runId: other.runId,
      decisionIndex: 99,
      responseJson: JSON.stringify("x".repeat(45_000)),
    });
    await expect(full, "a body of that size is kept apart").resolves.toBeDefined();
  });

  it("what is trimmed makes room", async () => {
    const store = await new Scene(host).open({ limits });
    const body = patternBytes(9000, 1);
    for (const version of upTo(20)) {
      const trimBelow = Math.max(1, version - 2);
      await commit(store, appendTo("a", version, { trimBelow, entries: [entry(version + 1, { body })] }));
    }
    expect((await rowOf(store, "a")).entries).toHaveLength(4);
  });

  it("more changes than a commit may have, or a cell that is too large, are refused", async () => {
    const store = await new Scene(host).open({ limits: { ...serviceLimits, mutations: 100, cellBytes: 1000 } });
    const refused = async (append: ReturnType<typeof appendTo>): Promise<string> => {
      const [outcome] = await store.append([append]);
      expect(outcome).toMatchObject({ kind: "refused", error: { reason: "SIZE_LIMIT" } });
      return outcome?.kind === "refused" ? outcome.error.message : "";
    };
    expect(await refused(appendTo("a", 0, { entries: upTo(100).map((i) => entry(i + 1)) }))).toMatch(
      /too much of row a/,
    );
    expect(await refused(appendTo("a", 0, { head: patternBytes(1001, 65).map(() => 65) }))).toMatch(/too large/);
    expect(await store.append([appendTo("a", 1)])).toEqual([{ kind: "conflict", version: 0 }]);
  });
});
