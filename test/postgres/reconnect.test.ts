import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { connectTape } from "../../src/client/index.ts";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import { startServer } from "../../src/server/start-server.ts";
import { createStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { appendTo, commit, refused, rowId, upTo, within } from "../../src/testing/test-store/material.ts";
import { newRun } from "../engine/engine-scene.ts";
import { testConfig } from "../server/test-config.ts";
import { versionOf } from "./append-load.ts";
import { Follower } from "./follower.ts";
import { query, until } from "./server-faults.ts";
import { describePostgres, newSchema, type Schema } from "./shared-server.ts";
import { StatementProxy } from "./statement-proxy.ts";

const application = `tape-${randomUUID()}`;
const timeout = 60_000;
const patienceMs = 30_000;
const isTrue = (): boolean => true;
const isFalse = (): boolean => false;
/** First attempts of a whole pool, and then one at every pause, which doubles: in a minute there are some 35. */
const fewAttempts = 60;

describePostgres("PostgreSQL, a server that goes away and comes back", () => {
  let schema: Schema;
  let proxy: StatementProxy;
  let store: Store;
  const toClose: { close(): Promise<unknown> }[] = [];

  beforeAll(async () => {
    schema = await newSchema();
  });
  afterAll(() => schema.drop());
  afterEach(async () => {
    for (const resource of toClose.splice(0).toReversed()) await resource.close();
    await proxy[Symbol.asyncDispose]();
  });

  const open = async (url: string): Promise<Store> => {
    const opened = await createStore(`${url}&application_name=${application}`);
    toClose.push(opened);
    await opened.migrate({ dryRun: false });
    return opened;
  };
  const openByProxy = async (parameters = ""): Promise<Store> => {
    proxy = await StatementProxy.to(schema.url);
    store = await open(`${proxy.url(schema.url)}${parameters}`);
    return store;
  };
  const goDown = (): void => {
    proxy.isUp = false;
    proxy.cut();
  };
  const openEngine = async (): Promise<Engine> => {
    const engine = new Engine({ store: await openByProxy(), reactors: false });
    toClose.push(engine);
    return engine;
  };

  it("fails calls fast, does not try a connection for each, and works again by itself", { timeout }, async () => {
    await openByProxy();
    const row = randomUUID();
    await commit(store, appendTo(row, 0));
    goDown();
    await until("the loss to be noticed", () => store.read(rowId(row)).then(isFalse, isTrue));
    proxy.attempts = 0;
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(
        upTo(50).flatMap((n) => [
          refused(within(patienceMs, "a read", store.read(rowId(row))), "STORE_UNAVAILABLE", "a read"),
          refused(store.append([appendTo(`${row}-${n}`, 0)]), "STORE_UNAVAILABLE", "an append"),
        ]),
      );
    }
    expect(proxy.attempts).toBeLessThan(fewAttempts);
    proxy.isUp = true;
    await until("the store to answer", async () => (await store.read(rowId(row)).catch(() => null))?.version === 1);
    for (const n of upTo(50)) await commit(store, appendTo(`${row}-${n}`, 0));
  });

  it("goes on with the connections it has when it gets no more", async () => {
    await openByProxy("&listen=false");
    const row = randomUUID();
    await commit(store, appendTo(row, 0));
    proxy.isUp = false;
    await Promise.allSettled(upTo(20).map(() => store.read(rowId(row))));
    for (const version of upTo(20)) await commit(store, appendTo(row, version + 1));
    expect(await versionOf(store, row)).toBe(21);
  });

  it("says at /readyz what is wrong, tells callers UNAVAILABLE, and goes on", { timeout }, async () => {
    const engine = await openEngine();
    const server = await startServer({ engine, config: testConfig, logger: pino({ level: "silent" }) });
    toClose.push(server);
    const client = connectTape(`tape://${server.address}`, { retries: { maxAttempts: 1 } });
    toClose.push(client);
    const ready = async (): Promise<readonly [number, string]> => {
      const response = await fetch(`http://${server.address}/readyz`);
      return [response.status, await response.text()];
    };
    const runId = await newRun(client);
    expect((await ready())[0]).toBe(200);
    goDown();
    await until("not being ready", async () => (await ready())[0] === 503);
    expect(await ready()).toEqual([503, expect.stringMatching(/^not ready: .*connecting to database .* failed: /)]);
    const call = within(patienceMs, "a call", client.getRun({ runId }));
    await expect(call).rejects.toMatchObject({ code: "UNAVAILABLE", reason: "STORE_UNAVAILABLE" });
    await expect(within(patienceMs, "a new run", newRun(client))).rejects.toMatchObject({ code: "UNAVAILABLE" });
    proxy.isUp = true;
    await until("being ready", async () => (await ready())[0] === 200);
    expect((await client.getRun({ runId })).runId).toBe(runId);
    await newRun(client);
  });

  it("ends streams with UNAVAILABLE, and a new one goes on behind the last item", { timeout }, async () => {
    const tape = (await openEngine()).tape(localAccess);
    const runId = await newRun(tape);
    const [run, feed] = [new Follower(tape, runId, "run"), new Follower(tape, runId, "feed")];
    for (const follower of [run, feed]) expect(await follower.next()).toBe(1);
    const endings = [run.next(), feed.next()];
    goDown();
    for (const ending of endings) {
      await expect(within(patienceMs, "the end", ending)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    }
    proxy.isUp = true;
    await until("a charge", () => tape.chargeBudget({ runId, tokens: 1 }, { requestId: "one" }).then(isTrue, isFalse));
    for (const follower of [run, feed]) {
      follower.resume();
      expect(await within(patienceMs, "what came next", follower.next())).toBe(2);
      await follower.leave();
    }
  });

  it("polls while the listening connection is lost, and listens again", { timeout }, async () => {
    await openByProxy();
    const quiet = await open(`${schema.url}&listen=false`);
    const stop = new AbortController();
    let heard = 0;
    const hearing = (async () => {
      for await (const _ of store.wake({ signal: stop.signal })) heard += 1;
    })();
    const another = async (what: string, act: () => Promise<unknown>): Promise<void> => {
      const before = heard;
      await act();
      await until(what, () => heard > before);
    };
    const [[journal] = []] = await query(
      schema.url,
      `select value from ${schema.name}.tape_meta where name = 'journal'`,
    );
    const listeners = async (): Promise<number> =>
      (
        await query(
          schema.url,
          `select from pg_stat_activity where application_name = '${application}' and query like 'listen%'`,
        )
      ).length;
    await until("listening", async () => (await listeners()) === 1);
    for (let round = 0; round < 3; round += 1) {
      proxy.isUp = false;
      await query(
        schema.url,
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity
         where application_name = '${application}' and query like 'listen%'`,
      );
      expect(await listeners()).toBe(0);
      // From a store that sends no hints, over connections that are still there. More than the loss itself makes.
      for (const n of upTo(3)) {
        await another("a commit seen by polling", () => commit(quiet, appendTo(`${round}-${n}`, 0)));
      }
      proxy.isUp = true;
      await until("listening again", async () => (await listeners()) === 1);
      // Nothing is committed: only who listens can know.
      for (const _ of upTo(3)) {
        await another("a notification", () => query(schema.url, `select pg_notify('tape_${String(journal)}', '')`));
      }
    }
    stop.abort();
    await hearing;
  });
});
