import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { postgresStore } from "../../src/store/postgres/postgres-store.ts";
import type { Store } from "../../src/store/store.ts";
import { appendTo, commit, feedOf, grow, namesOf, upTo } from "../../src/testing/test-store/material.ts";
import { ask } from "./foreign-session.ts";
import { startPostgres, type PostgresServer } from "./postgres-server.ts";
import { describePostgres } from "./shared-server.ts";

/*
 * A copy of a cluster's files, which is what base backups, recovery to a point in time and the backups of managed services
 * are: the same identifiers and the same numbers of transactions as before, so nothing tells that time was turned back.
 */
describePostgres("a cluster that was put back to an earlier state", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  async function opened(): Promise<Store> {
    const store = postgresStore(server.url());
    onTestFinished(() => store.close());
    await store.migrate({ dryRun: false });
    return store;
  }

  /** Replaces the data folder by a copy or makes one, while the server is down. */
  async function copy(from: string, to: string): Promise<void> {
    await server.kill();
    if (existsSync(to)) spawnSync("rm", ["-rf", to]);
    expect(spawnSync("cp", ["-a", from, to]).status).toBe(0);
    await server.start();
  }

  it("gives positions again, unless it is told that it was moved", { timeout: 120_000 }, async () => {
    const saved = `${server.dataFolder}-saved`;
    const before = await opened();
    await grow(before, "a", 3);
    await before.close();
    await copy(server.dataFolder, saved);
    const lost = await opened();
    const positions: number[] = [];
    for (const i of upTo(50)) positions.push(...(await commit(lost, appendTo(`lost-${i}`, 0))));
    const last = Math.max(...positions);
    await lost.close();

    await copy(saved, server.dataFolder);
    const unaware = await opened();
    const [again = 0] = await commit(unaware, appendTo("a", 3));
    expect(again).toBeLessThanOrEqual(last);
    await unaware.close();

    await copy(saved, server.dataFolder);
    await ask(server.url(), "update tape_meta set value = 'restored' where name = 'feed_home'");
    const told = await opened();
    const [next = 0] = await commit(told, appendTo("a", 3));
    expect(next).toBeGreaterThan(last);
    expect(namesOf(await feedOf(told, 1, last))).toEqual(["a:4"]);
    expect(namesOf(await feedOf(told, 4))).toEqual(upTo(4).map((i) => `a:${i + 1}`));
  });
});
