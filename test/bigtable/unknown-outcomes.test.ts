import { status as codes } from "@grpc/grpc-js";
import { expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/engine/clock.ts";
import { Engine } from "../../src/engine/engine.ts";
import { resolveUnknown } from "../../src/engine/resolve-unknown.ts";
import { localAccess } from "../../src/model/access.ts";
import { defaultDeadlines } from "../../src/store/bigtable/table.ts";
import type { Append, AppendOutcome, Store } from "../../src/store/store.ts";
import { seededRandom } from "../../src/testing/index.ts";
import { appendTo, commit, feedOf, namesOf, rowId, rowOf, within } from "../../src/testing/test-store/material.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import type { CallAct } from "../emulators/grpc-proxy.ts";
import { AppendLoad } from "../postgres/append-load.ts";
import { ChargeLoad } from "../postgres/charge-load.ts";
import { gate, Scene } from "./fixture.ts";

const commitCall = "CheckAndMutateRow";
const impatient = { ...defaultDeadlines, commit: 150 };

describeBigtable("Bigtable, a commit whose answer is lost", (host) => {
  const resolve = (store: Store, append: Append, outcome: AppendOutcome | undefined): Promise<AppendOutcome> =>
    resolveUnknown(store, append, systemClock, outcome);

  const lost: readonly (readonly [string, CallAct, boolean])[] = [
    ["the connection breaks before it arrives", { kind: "cut" }, false],
    ["the connection breaks before the answer", { kind: "cut-answer" }, true],
    ["somebody on the way says UNAVAILABLE", { kind: "refuse", code: codes.UNAVAILABLE }, false],
    ["somebody on the way says INTERNAL", { kind: "refuse", code: codes.INTERNAL }, false],
  ];

  it.each(lost)("because %s: it is not known, sent once, and found out about", async (_what, act, isWritten) => {
    const { store, proxy } = await new Scene(host).openProxied();
    await commit(store, appendTo("a", 0));
    proxy.forget();
    proxy.act = ({ method, count }) => (method === commitCall && count === 0 ? act : { kind: "pass" });
    const append = appendTo("a", 1);
    const [outcome] = await store.append([append]);
    expect(outcome).toMatchObject({ kind: "unknown", cause: { code: "UNAVAILABLE" } });
    expect(proxy.counts.get(commitCall), "a commit is never sent a second time by itself").toBe(1);
    proxy.act = () => ({ kind: "pass" });
    expect((await rowOf(store, "a")).version).toBe(isWritten ? 2 : 1);
    expect(await resolve(store, append, outcome)).toMatchObject({ kind: "committed" });
    expect((await rowOf(store, "a")).entries.map(({ commitId }) => commitId)).toContain(append.commitId);
    expect(namesOf(await feedOf(store, 2))).toEqual(["a:1", "a:2"]);
  });

  it("because it takes longer than its deadline, and is applied after a second attempt: that one counts", async () => {
    const scene = new Scene(host);
    const { store, proxy } = await scene.openProxied({ deadlines: impatient });
    const late = gate();
    proxy.forget();
    proxy.act = ({ method, count }) =>
      method === commitCall && count === 0 ? { kind: "hold", until: late.opened } : { kind: "pass" };
    const append = appendTo("a", 0);
    const [outcome] = await store.append([append]);
    expect(outcome?.kind).toBe("unknown");
    expect(await resolve(store, append, outcome)).toMatchObject({ kind: "committed" });
    await commit(store, appendTo("a", 1));
    late.open();
    await proxy.idle();
    expect((await rowOf(store, "a")).version).toBe(2);
    expect(namesOf(await feedOf(store, 2))).toEqual(["a:1", "a:2"]);
  });

  it("because it takes longer than its deadline, and is applied before a second attempt: the row tells", async () => {
    const { store, proxy } = await new Scene(host).openProxied({ deadlines: impatient });
    const late = gate();
    proxy.forget();
    proxy.act = ({ method, count }) =>
      method === commitCall && count === 0 ? { kind: "hold", until: late.opened } : { kind: "pass" };
    const append = appendTo("a", 0);
    const [outcome] = await store.append([append]);
    expect(outcome?.kind).toBe("unknown");
    // The second attempt has been announced, and waits at the door while the first one goes through.
    proxy.act = ({ method, count }) => {
      if (method !== commitCall || count !== 1) return { kind: "pass" };
      late.open();
      return { kind: "hold", until: proxy.idle(1) };
    };
    expect(await resolve(store, append, outcome)).toMatchObject({ kind: "committed" });
    expect((await rowOf(store, "a")).version).toBe(1);
    expect(namesOf(await feedOf(store, 1))).toEqual(["a:1"]);
  });

  it("does not hold up the rows that it shared a batch with", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    proxy.act = ({ method, request }) =>
      method === commitCall && request.includes("r#") && request.includes("#lost")
        ? { kind: "refuse", code: codes.UNAVAILABLE }
        : { kind: "pass" };
    const outcomes = await store.append([appendTo("a", 0), appendTo("lost", 0), appendTo("b", 0)]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["committed", "unknown", "committed"]);
    expect(await store.read(rowId("lost"))).toBeNull();
  });

  it("is no reason to write anything when what goes before it fails: the append rejects", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    proxy.forget();
    proxy.act = ({ method }) =>
      method === "MutateRows" ? { kind: "refuse", code: codes.PERMISSION_DENIED } : { kind: "pass" };
    await expect(store.append([appendTo("a", 0), appendTo("b", 0)])).rejects.toMatchObject({
      reason: "STORE_NOT_USABLE",
    });
    expect(proxy.counts.get(commitCall)).toBeUndefined();
    expect(proxy.counts.get("MutateRows"), "the library does not send it again either").toBe(1);
    expect(await store.read(rowId("a"))).toBeNull();
  });
});

describeBigtable("Bigtable, faults all the time", (host) => {
  /** Calls fail before, during and after, as the seed decides. */
  const faults = (seed: number): (() => CallAct) => {
    const random = seededRandom(seed);
    const acts: readonly CallAct[] = [
      { kind: "cut" },
      { kind: "cut-answer" },
      { kind: "cut-answer" },
      { kind: "refuse", code: codes.UNAVAILABLE },
      { kind: "hold", until: new Promise((done) => void setTimeout(done, 200)) },
    ];
    return () => (random.chance(0.04) ? (acts[random.int(acts.length)] ?? { kind: "pass" }) : { kind: "pass" });
  };

  it("a store tells the truth about every append, and the feed is complete", { timeout: 60_000 }, async () => {
    const scene = new Scene(host);
    const proxied = [await scene.openProxied({ deadlines: impatient }), await scene.openProxied()];
    for (const [i, { proxy }] of proxied.entries()) proxy.act = faults(41 + i);
    const load = new AppendLoad(
      proxied.map(({ store }) => store),
      2,
    );
    await load.progress(800);
    for (const { proxy } of proxied) proxy.act = () => ({ kind: "pass" });
    await load.progress(50);
    await load.stop();
    expect(load.count("unknown")).toBeGreaterThan(0);
    await load.verify(await scene.open());
  });

  it("callers get what is true, and a retry finds what was written", { timeout: 60_000 }, async () => {
    const scene = new Scene(host);
    const proxied = [await scene.openProxied({ deadlines: impatient }), await scene.openProxied()];
    const engines = proxied.map(({ store }) => new Engine({ store, reactors: false }));
    onTestFinished(async () => {
      for (const engine of engines) await engine.close();
    });
    for (const [i, { proxy }] of proxied.entries()) proxy.act = faults(7 + i);
    const load = new ChargeLoad(
      engines.map((engine) => engine.tape(localAccess)),
      3,
    );
    await load.progress(150);
    for (const { proxy } of proxied) proxy.act = () => ({ kind: "pass" });
    await within(30_000, "the end of the load", load.stop());
    expect(engines.reduce((sum, engine) => sum + engine.stats().unknownOutcomes, 0)).toBeGreaterThan(0);
    for (const engine of engines.slice(0, 1)) await load.verify(engine.tape(localAccess));
  });
});
