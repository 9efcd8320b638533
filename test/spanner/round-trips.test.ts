import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Tape } from "../../src/model/tape.ts";
import { appendTo, commit, entry, rowId, upTo } from "../../src/testing/test-store/material.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { Scene } from "./fixture.ts";

const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "stores", "spanner.md"), "utf8");

/** What the page says: calls to Spanner for each call to Tape, in order. */
const told = new Map(
  [...page.matchAll(/^\| ([A-Z]\w+) \| ([^|]+) \| ([^|]+) \|$/gm)].map((row) => [
    row[1],
    [row[2]?.trim(), row[3]?.trim()],
  ]),
);

const shortNames: Readonly<Record<string, string>> = { StreamingRead: "read", Commit: "commit" };

describeSpanner("Spanner, round trips", (host) => {
  it("of the ten commonest calls are as the table in docs/stores/spanner.md says", async () => {
    const scene = new Scene(host);
    const { store, proxy } = await scene.openProxied();
    const other = await scene.open();
    const open = (engine: Engine): Tape => {
      onTestFinished(() => engine.close());
      return engine.tape(localAccess);
    };
    const tape = open(new Engine({ store, reactors: false }));
    // What another server wrote, so that this one knows nothing of it.
    const elsewhere = open(new Engine({ store: other, reactors: false }));
    const foreign = await elsewhere.beginRun({ appName: "app", invocationId: "elsewhere" });
    const second = await elsewhere.beginRun({ appName: "app", invocationId: "second" });
    for (const key of ["elsewhere", "second"]) await elsewhere.writeValue({ namespace: "n", key, valueJson: "1" });

    const counted = async <T>(work: () => Promise<T>): Promise<{ readonly answer: T; readonly calls: string }> => {
      proxy.forget();
      const answer = await work();
      return { answer, calls: proxy.calls.map(({ method }) => shortNames[method] ?? method).join(", ") };
    };
    const found = new Map<string, readonly string[]>();
    const note = async <T>(name: string, warm: () => Promise<T>, cold?: () => Promise<unknown>): Promise<T> => {
      const { answer, calls } = await counted(warm);
      found.set(name, [calls, cold === undefined ? "-" : (await counted(cold)).calls]);
      return answer;
    };
    const { runId } = await note("BeginRun", () => tape.beginRun({ appName: "app", invocationId: "here" }));
    const there = foreign.runId;
    await note(
      "RecordDecision",
      () => tape.recordDecision({ runId, decisionIndex: 0, responseJson: "1" }),
      () => tape.recordDecision({ runId: there, decisionIndex: 0, responseJson: "1" }),
    );
    await elsewhere.recordDecision({ runId: there, decisionIndex: 1, responseJson: "1" });
    const begin = (id: string): Promise<{ readonly idempotencyKey: string }> =>
      tape.beginEffect({ runId: id, decisionIndex: 0, toolName: "tool", requestJson: "{}" });
    const { idempotencyKey } = await note(
      "BeginEffect",
      () => begin(runId),
      () => begin(there),
    );
    const end = (id: string): Promise<unknown> =>
      tape.completeEffect({ runId: id, idempotencyKey, status: "CONFIRMED", responseJson: "1" });
    await note("CompleteEffect", () => end(runId));
    await note(
      "GetRun",
      () => tape.getRun({ runId }),
      () => tape.getRun({ runId: second.runId }),
    );
    await note("EndRun", () => tape.endRun({ runId, status: "TERMINAL" }));
    const value = { namespace: "n", key: "here", valueJson: "1" };
    await note(
      "WriteValue",
      () => tape.writeValue(value),
      () => tape.writeValue({ namespace: "n", key: "elsewhere", valueJson: "2" }),
    );
    await note(
      "GetValue",
      () => tape.getValue(value),
      () => tape.getValue({ namespace: "n", key: "second" }),
    );
    const session = { appName: "app", userId: "u", sessionId: "s" };
    await tape.createSession(session);
    await note("AppendEvent", () => tape.appendEvent({ ...session, event: { id: "e", contentJson: "1" } }));
    await note("ListRunsToRecover", () => tape.listRunsToRecover({}));
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(told));
  });

  it("of 250 looks at rows in one turn are three, each with the rows it is for", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    for (const name of ["a", "b"]) await commit(store, appendTo(name, 0, { entries: [entry(1), entry(2)] }));
    proxy.forget();
    const names = upTo(250).map((i) => (i === 7 ? "a" : i === 190 ? "b" : `none-${i}`));
    const found = await Promise.all(names.map((name) => store.read(rowId(name), { limit: 0 })));
    expect(found.flatMap((slice, i) => (slice === null ? [] : [`${names[i]} ${slice.version}`]))).toEqual([
      "a 1",
      "b 1",
    ]);
    expect(proxy.counts).toEqual(new Map([["StreamingRead", 3]]));
  });

  it("of 20 rows that are read whole in one turn are two, each with its own entries", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    const names = upTo(20).map((i) => `row-${i}`);
    for (const [i, name] of names.entries()) {
      await commit(store, appendTo(name, 0, { entries: upTo(1 + (i % 3)).map((n) => entry(n + 1, { ref: name })) }));
    }
    proxy.forget();
    const found = await Promise.all(names.map((name) => store.read(rowId(name))));
    expect(found.map((slice) => slice?.entries.map(({ seq, ref }) => `${ref} ${seq}`))).toEqual(
      names.map((name, i) => upTo(1 + (i % 3)).map((n) => `${name} ${n + 1}`)),
    );
    expect(proxy.counts).toEqual(new Map([["StreamingRead", 2]]));
  });
});
