import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { sqliteFileStore } from "../../src/store/sqlite/sqlite-store.ts";
import { pause } from "../../src/testing/test-store/material.ts";
import { Scene as BigtableScene } from "../bigtable/fixture.ts";
import type { GrpcProxy } from "../emulators/grpc-proxy.ts";
import { describeBigtable, describeSpanner } from "../emulators/shared-emulator.ts";
import { describePostgres } from "../postgres/shared-server.ts";
import { postgresHarness } from "../postgres/store-harness.ts";
import { Scene as SpannerScene } from "../spanner/fixture.ts";
import { costsOfPages, mostCalls, onePage, type Cost, type WireCount } from "./list-cost.ts";

const patience = { timeout: 120_000 };

const countAt = (proxy: GrpcProxy): WireCount => ({
  begin: async () => {
    // What is done after an answer begins in the turns after it.
    await pause(50);
    await proxy.idle();
    proxy.forget();
  },
  calls: () => proxy.calls.length,
});

/** Keys are spread over shards by chance: where one has more than its share, a page takes a second scan. */
function expectFewScans(costs: readonly Cost[]): void {
  for (const { reads, calls } of costs) {
    expect(reads.entries).toBe(0);
    expect(reads.scans).toBeLessThanOrEqual(2);
    expect(reads.keys).toBeLessThanOrEqual(2 * onePage.keys);
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThanOrEqual(reads.scans * mostCalls);
  }
}

describe("SQLite", () => {
  it("a page of 50 runs costs the same, however many there are", patience, async () => {
    const folder = await mkdtemp(join(tmpdir(), "tape-list-cost-"));
    const store = sqliteFileStore({ path: join(folder, "tape.db") });
    onTestFinished(async () => {
      await store.close();
      await rm(folder, { recursive: true });
    });
    await store.migrate({ dryRun: false });
    const costs = await costsOfPages(store, 300, 5000);
    expect(costs.map(({ reads }) => reads)).toEqual(costs.map(() => onePage));
  });
});

describePostgres("PostgreSQL", () => {
  it("a page of 50 runs costs the same, however many there are", patience, async () => {
    const { create, destroy } = postgresHarness("newest");
    const store = await create();
    onTestFinished(() => destroy(store));
    const costs = await costsOfPages(store, 300, 5000);
    expect(costs.map(({ reads }) => reads)).toEqual(costs.map(() => onePage));
  });
});

describeBigtable("Bigtable", (host) => {
  it("a page of 50 runs costs the same, however many there are, in calls, too", patience, async () => {
    const { store, proxy } = await new BigtableScene(host, 10_000).openProxied();
    const costs = await costsOfPages(store, 300, 600, countAt(proxy));
    expect(costs.map(({ reads }) => reads.rows)).toEqual(costs.map(() => onePage.rows));
    expectFewScans(costs);
  });
});

describeSpanner("Spanner", (host) => {
  it("a page of 50 runs costs the same, however many there are, in calls, too", patience, async () => {
    const { store, proxy } = await new SpannerScene(host).openProxied();
    const costs = await costsOfPages(store, 300, 600, countAt(proxy));
    expect(costs.map(({ reads }) => reads.rows)).toEqual(costs.map(() => onePage.rows));
    expectFewScans(costs);
  });
});
