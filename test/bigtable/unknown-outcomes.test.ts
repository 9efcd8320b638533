import { status as codes } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { systemClock } from "../../src/engine/clock.ts";
import { resolveUnknown } from "../../src/engine/resolve-unknown.ts";
import { defaultDeadlines } from "../../src/store/bigtable/table.ts";
import type { Append, AppendOutcome, Store } from "../../src/store/store.ts";
import { appendTo, commit, feedOf, namesOf, rowId, rowOf } from "../../src/testing/test-store/material.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { appendsUnderFaults, chargesUnderFaults } from "../emulators/fault-load.ts";
import { gate } from "../emulators/gate.ts";
import type { CallAct } from "../emulators/grpc-proxy.ts";
import { Scene } from "./fixture.ts";

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
  it("a store tells the truth about every append, and the feed is complete", { timeout: 60_000 }, async () => {
    const scene = new Scene(host);
    const proxied = [await scene.openProxied({ deadlines: impatient }), await scene.openProxied()];
    await appendsUnderFaults(proxied, { seed: 41, answers: 300 }, () => scene.open());
    expect(proxied.every(({ proxy }) => proxy.calls.length > 0)).toBe(true);
  });

  it("callers get what is true, and a retry finds what was written", { timeout: 60_000 }, async () => {
    const scene = new Scene(host);
    const proxied = [await scene.openProxied({ deadlines: impatient }), await scene.openProxied()];
    await chargesUnderFaults(proxied, { seed: 7, answers: 150 });
    expect(proxied.every(({ proxy }) => proxy.calls.length > 0)).toBe(true);
  });
});
