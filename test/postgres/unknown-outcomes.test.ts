import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import { createStore } from "../../src/store/open-store.ts";
import { maxEntries, type Store } from "../../src/store/store.ts";
import { appendTo, commit, entry, rowId, upTo, within } from "../../src/testing/test-store/material.ts";
import { newRun } from "../engine/engine-scene.ts";
import { AppendLoad, versionOf } from "./append-load.ts";
import { ChargeLoad } from "./charge-load.ts";
import { type PostgresServer, startPostgres } from "./postgres-server.ts";
import { crash, query, restart, terminate } from "./server-faults.ts";
import { describePostgres } from "./shared-server.ts";
import { StatementProxy } from "./statement-proxy.ts";

const application = "tape-under-fire";
const timeout = 90_000;

describePostgres("PostgreSQL, faults in the middle of commits", () => {
  let server: PostgresServer;
  let url: string;
  const toClose: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  afterEach(async () => {
    for (const resource of toClose.splice(0).toReversed()) await resource.close();
  });

  const open = async (at: string): Promise<Store> => {
    const store = await createStore(at);
    toClose.push(store);
    await store.migrate({ dryRun: false });
    return store;
  };
  const openEngine = async (at: string): Promise<Engine> => {
    const engine = new Engine({ store: await open(at), reactors: false });
    toClose.push(engine);
    return engine;
  };
  const newPlace = async (parameters: Record<string, string> = {}): Promise<string> => {
    const schema = `s${randomUUID().replaceAll("-", "")}`;
    await query(server.url(), `create schema ${schema}`);
    return server.url({ params: { schema, application_name: application, ...parameters } });
  };

  const faults = [
    ["connections are terminated", async () => void (await terminate(server.url(), application))],
    ["the server is shut down and started", () => restart(server)],
    ["the server is killed and started", () => crash(server)],
  ] as const;

  it.each(faults)("%s: a store tells the truth about every append", { timeout }, async (_what, fault) => {
    url = await newPlace();
    const load = new AppendLoad([await open(url), await open(url), await open(url)], 3);
    for (let round = 0; round < 5; round += 1) {
      await load.progress(200);
      await fault();
    }
    await load.progress(200);
    await load.stop();
    expect(load.count("unknown")).toBeGreaterThan(0);
    await load.verify(await open(url));
  });

  it.each(faults)("%s: callers get what is true, and a retry finds what was written", { timeout }, async (_, fault) => {
    url = await newPlace();
    const engines = [await openEngine(url), await openEngine(url)];
    const load = new ChargeLoad(
      engines.map((engine) => engine.tape(localAccess)),
      6,
    );
    for (let round = 0; round < 5; round += 1) {
      await load.progress(200);
      await fault();
    }
    await load.progress(200);
    await load.stop();
    expect(engines.some((engine) => engine.stats().unknownOutcomes > 0)).toBe(true);
    await load.verify((await openEngine(url)).tape(localAccess));
  });

  it("an answer that is cut off is unknown, and the write is there", async () => {
    url = await newPlace();
    await using proxy = await StatementProxy.to(url);
    const store = await open(proxy.url(url));
    await commit(store, appendTo("a", 0));
    const lost = proxy.loseAnswer("tape_append", "cut");
    expect(await store.append([appendTo("a", 1), appendTo("b", 0)])).toMatchObject([
      { kind: "unknown", cause: { reason: "STORE_UNAVAILABLE" } },
      { kind: "unknown" },
    ]);
    await lost;
    expect([await versionOf(store, "a"), await versionOf(store, "b")]).toEqual([2, 1]);
  });

  it("an element that lost is unknown when the look at its version fails, and one that won is committed", async () => {
    url = await newPlace();
    await using proxy = await StatementProxy.to(url);
    const store = await open(proxy.url(url));
    await commit(store, appendTo("a", 0));
    const cut = proxy.loseAnswer("tape_versions", "cut").then(() => {
      proxy.isUp = false;
      // The look would be made again on another connection that there may be.
      proxy.cut();
    });
    expect(await store.append([appendTo("a", 0), appendTo("b", 0)])).toMatchObject([
      { kind: "unknown", cause: { reason: "STORE_UNAVAILABLE" } },
      { kind: "committed" },
    ]);
    await cut;
  });

  it("a batch of two statements whose second one fails: the first is committed, the second unknown and not there", async () => {
    const store = await open(await newPlace());
    const full = appendTo("a", 0, { entries: upTo(maxEntries).map((i) => entry(i + 1)) });
    // No text of this database can hold it.
    const impossible = appendTo("b", 0, { entries: [entry(1, { dims: "\u0000" })] });
    expect(await store.append([full, impossible])).toMatchObject([
      { kind: "committed" },
      { kind: "unknown", cause: { name: "TapeError" } },
    ]);
    expect(await versionOf(store, "a")).toBe(1);
    expect(await store.read(rowId("b"))).toBeNull();
    await expect(store.append([impossible])).rejects.toMatchObject({ name: "TapeError" });
  });

  it("the engine answers a call whose answer from the store was cut off, having written once", async () => {
    url = await newPlace();
    await using proxy = await StatementProxy.to(url);
    const engine = await openEngine(proxy.url(url));
    const tape = engine.tape(localAccess);
    const runId = await newRun(tape);
    for (let tokens = 1; tokens <= 5; tokens += 1) {
      const lost = proxy.loseAnswer("tape_append", "cut");
      await tape.chargeBudget({ runId, tokens });
      await lost;
    }
    expect(engine.stats().unknownOutcomes).toBe(5);
    await tape.endRun({ runId, status: "TERMINAL" });
    const kinds: string[] = [];
    for await (const { kind } of tape.subscribeRun({ runId })) kinds.push(kind);
    expect(kinds.filter((kind) => kind === "budget")).toHaveLength(5);
  });

  it(
    "an answer that never comes is unknown after query_timeout, and the store can be closed",
    { timeout },
    async () => {
      // A pooler's URL: its time-out comes without the grace in which a server would answer by itself.
      url = await newPlace({ pgbouncer: "true", statement_timeout: "500" });
      await using proxy = await StatementProxy.to(url);
      const store = await open(proxy.url(url));
      const lost = proxy.loseAnswer("on conflict (row) do nothing", "swallow");
      const answer = await within(30_000, "the answer", store.append([appendTo("a", 0)]));
      expect(answer).toMatchObject([{ kind: "unknown", cause: { reason: "STORE_UNAVAILABLE" } }]);
      await lost;
      expect(await versionOf(store, "a")).toBe(1);
      await commit(store, appendTo("a", 1));
      await within(30_000, "closing", store.close());
    },
  );
});
