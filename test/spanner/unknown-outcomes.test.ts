import { status as codes } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { systemClock } from "../../src/engine/clock.ts";
import { resolveUnknown } from "../../src/engine/resolve-unknown.ts";
import { defaultDeadlines } from "../../src/store/spanner/database.ts";
import type { Append, AppendOutcome, Store } from "../../src/store/store.ts";
import { appendTo, commit, feedOf, namesOf, rowId, rowOf } from "../../src/testing/test-store/material.ts";
import { appendsUnderFaults, chargesUnderFaults } from "../emulators/fault-load.ts";
import { gate } from "../emulators/gate.ts";
import type { CallAct, ProxiedCall } from "../emulators/grpc-proxy.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { Scene } from "./fixture.ts";

const impatient = { ...defaultDeadlines, commit: 150 };

/** This becomes of the first commit; everything else passes. */
const firstCommit =
  (act: CallAct) =>
  ({ method, count }: ProxiedCall): CallAct =>
    method === "Commit" && count === 0 ? act : { kind: "pass" };

describeSpanner("Spanner, a commit whose answer is lost", (host) => {
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
    proxy.act = firstCommit(act);
    const append = appendTo("a", 1);
    const [outcome] = await store.append([append]);
    expect(outcome).toMatchObject({ kind: "unknown", cause: { code: "UNAVAILABLE" } });
    expect(proxy.counts.get("Commit"), "a commit is never sent a second time by itself").toBe(1);
    expect((await rowOf(store, "a")).version).toBe(isWritten ? 2 : 1);
    expect(await resolve(store, append, outcome)).toMatchObject({ kind: "committed" });
    expect((await rowOf(store, "a")).entries.map(({ commitId }) => commitId)).toContain(append.commitId);
    expect(namesOf(await feedOf(store, 2))).toEqual(["a:1", "a:2"]);
  });

  it("because it takes longer than its deadline, and arrives after a second attempt: that one counts", async () => {
    const { store, proxy } = await new Scene(host).openProxied({ deadlines: impatient });
    const late = gate();
    proxy.forget();
    proxy.act = firstCommit({ kind: "hold", until: late.opened });
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

  it("because it takes longer than its deadline, and arrives before a second attempt: the row tells", async () => {
    const { store, proxy } = await new Scene(host).openProxied({ deadlines: impatient });
    const late = gate();
    proxy.forget();
    proxy.act = firstCommit({ kind: "hold", until: late.opened });
    const append = appendTo("a", 0);
    const [outcome] = await store.append([append]);
    expect(outcome?.kind).toBe("unknown");
    // The second attempt waits at the door while the first one goes through.
    proxy.act = ({ method, count }) => {
      if (method !== "Commit" || count !== 1) return { kind: "pass" };
      late.open();
      return { kind: "hold", until: proxy.idle(1) };
    };
    expect(await resolve(store, append, outcome)).toMatchObject({ kind: "committed" });
    expect((await rowOf(store, "a")).version).toBe(1);
    expect(namesOf(await feedOf(store, 1))).toEqual(["a:1"]);
  });

  it("leaves all that it carried unknown, and each is found out about", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    proxy.forget();
    proxy.act = firstCommit({ kind: "cut-answer" });
    const batch = [appendTo("a", 0), appendTo("b", 0)];
    const outcomes = await store.append(batch);
    expect(outcomes.map(({ kind }) => kind)).toEqual(["unknown", "unknown"]);
    for (const [i, append] of batch.entries()) {
      expect(await resolve(store, append, outcomes[i])).toMatchObject({ kind: "committed" });
    }
  });

  it("after a look that a conflict made necessary: those that it answered for are known, the others are not", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    await commit(store, appendTo("a", 0));
    proxy.forget();
    proxy.act = ({ method, count }) => (method === "Commit" && count === 1 ? { kind: "cut-answer" } : { kind: "pass" });
    const lostOne = appendTo("b", 0);
    const outcomes = await store.append([appendTo("a", 0), lostOne]);
    expect(outcomes).toMatchObject([{ kind: "conflict", version: 1 }, { kind: "unknown" }]);
    expect(await resolve(store, lostOne, outcomes[1])).toMatchObject({ kind: "committed" });
  });

  it("is not the case when the look after a conflict is lost: nothing was written, and the append rejects", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    await commit(store, appendTo("a", 0));
    proxy.forget();
    proxy.act = ({ method }) => (method === "StreamingRead" ? { kind: "cut-answer" } : { kind: "pass" });
    await expect(store.append([appendTo("a", 0), appendTo("b", 0)])).rejects.toMatchObject({
      reason: "STORE_UNAVAILABLE",
    });
    proxy.act = () => ({ kind: "pass" });
    expect(await store.read(rowId("b"))).toBeNull();
  });
});

describeSpanner("Spanner, a commit that is aborted", (host) => {
  it("is sent again until it is not, and happens once", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    proxy.forget();
    proxy.act = ({ method, count }) =>
      method === "Commit" && count < 3 ? { kind: "refuse", code: codes.ABORTED } : { kind: "pass" };
    await commit(store, appendTo("a", 0), appendTo("b", 0));
    expect(proxy.counts.get("Commit")).toBe(4);
    expect(namesOf(await feedOf(store, 2)).toSorted()).toEqual(["a:1", "b:1"]);
  });

  it("is given up after a while, and was not written", async () => {
    const { store, proxy } = await new Scene(host).openProxied({ deadlines: { ...defaultDeadlines, retry: 200 } });
    proxy.act = ({ method }) => (method === "Commit" ? { kind: "refuse", code: codes.ABORTED } : { kind: "pass" });
    await expect(store.append([appendTo("a", 0)])).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
    proxy.act = () => ({ kind: "pass" });
    expect(await store.read(rowId("a"))).toBeNull();
  });

  it("is sent again too when it is what a conflict has left", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    await commit(store, appendTo("a", 0));
    proxy.forget();
    proxy.act = ({ method, count }) =>
      method === "Commit" && count === 1 ? { kind: "refuse", code: codes.ABORTED } : { kind: "pass" };
    expect(await store.append([appendTo("a", 0), appendTo("b", 0)])).toMatchObject([
      { kind: "conflict", version: 1 },
      { kind: "committed" },
    ]);
    expect(Object.fromEntries(proxy.counts)).toEqual({ Commit: 3, StreamingRead: 1 });
  });
});

describeSpanner("Spanner, a call that the service does not take", (host) => {
  it("is no reason for the rows that it shared a commit with", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    proxy.act = ({ method, request }) =>
      method === "Commit" && request.includes("bad")
        ? { kind: "refuse", code: codes.INVALID_ARGUMENT }
        : { kind: "pass" };
    const outcomes = await store.append(["a", "b", "bad", "c"].map((row) => appendTo(row, 0)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["committed", "committed", "unknown", "committed"]);
    await expect(store.append([appendTo("bad", 0)])).rejects.toMatchObject({ reason: "INTERNAL" });
  });

  it("because its session has gone is done with another one", async () => {
    const scene = new Scene(host);
    const { store, proxy } = await scene.openProxied();
    const gone = { kind: "refuse", code: codes.NOT_FOUND, message: "Session not found: projects/p" } as const;
    proxy.forget();
    proxy.act = firstCommit(gone);
    await commit(store, appendTo("a", 0));
    expect(proxy.counts.get("BatchCreateSessions")).toBe(1);
    expect((await rowOf(store, "a")).version).toBe(1);
  });
});

describeSpanner("Spanner, faults all the time", (host) => {
  it("a store tells the truth about every append, and the feed is complete", { timeout: 90_000 }, async () => {
    const scene = new Scene(host);
    const proxied = [await scene.openProxied({ deadlines: impatient }), await scene.openProxied()];
    await appendsUnderFaults(
      proxied,
      { seed: 41, answers: 400, more: [() => ({ kind: "refuse", code: codes.ABORTED })] },
      () => scene.open(),
    );
    expect(proxied.every(({ proxy }) => proxy.calls.length > 0)).toBe(true);
  });

  it("callers get what is true, and a retry finds what was written", { timeout: 90_000 }, async () => {
    const scene = new Scene(host);
    const proxied = [await scene.openProxied({ deadlines: impatient }), await scene.openProxied()];
    await chargesUnderFaults(proxied, {
      seed: 7,
      answers: 100,
      more: [() => ({ kind: "refuse", code: codes.ABORTED })],
    });
    expect(proxied.every(({ proxy }) => proxy.calls.length > 0)).toBe(true);
  });
});
