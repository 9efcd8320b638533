import bigtableProtos from "@google-cloud/bigtable/build/protos/protos.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Tape } from "../../src/model/tape.ts";
import { appendTo, commit, entry, pause, rowId, upTo } from "../../src/testing/test-store/material.ts";
import type { GrpcProxy, ProxiedCall } from "../emulators/grpc-proxy.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { Scene } from "./fixture.ts";

const { MutateRowsRequest, ReadRowsRequest } = bigtableProtos.google.bigtable.v2;
const page = readFileSync(join(import.meta.dirname, "..", "..", "docs", "stores", "bigtable.md"), "utf8");

/** Rows (or ranges of rows) that a call names. */
function rowsOf({ method, request }: ProxiedCall): number {
  if (method === "MutateRows") return MutateRowsRequest.decode(request).entries.length;
  if (method !== "ReadRows") return 1;
  const { rows } = ReadRowsRequest.decode(request);
  return (rows?.rowKeys?.length ?? 0) + (rows?.rowRanges?.length ?? 0);
}

/** `call rows` of each, in order. */
const inWords = (calls: readonly ProxiedCall[]): string =>
  calls.length === 0 ? "-" : calls.map((call) => `${call.method} ${rowsOf(call)}`).join(", ");

async function measured(proxy: GrpcProxy, call: () => Promise<unknown>): Promise<string> {
  await settled(proxy);
  proxy.forget();
  await call();
  const before = [...proxy.calls];
  await settled(proxy);
  return `${before.length} | ${inWords(before)} | ${inWords(proxy.calls.slice(before.length))}`;
}

/** What is done afterwards begins in the turns after the answer. */
async function settled(proxy: GrpcProxy): Promise<void> {
  await pause(50);
  await proxy.idle();
}

describeBigtable("Bigtable, round trips", (host) => {
  it("of the ten commonest calls are as docs/stores/bigtable.md says", async () => {
    const { store, proxy } = await new Scene(host, 10_000).openProxied();
    const engine = new Engine({ store, reactors: false });
    onTestFinished(() => engine.close());
    const tape: Tape = engine.tape(localAccess);
    const session = { appName: "app", userId: "u", sessionId: "s" };
    await tape.createSession(session);
    await tape.writeValue({ namespace: "n", key: "k", valueJson: "0" });
    let runId = "";
    let idempotencyKey = "";
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      BeginRun: async () => {
        ({ runId } = await tape.beginRun({ ...session, invocationId: "i", leaseOwner: "me" }));
      },
      RecordDecision: () => tape.recordDecision({ runId, decisionIndex: 0, responseJson: "{}" }),
      BeginEffect: async () => {
        ({ idempotencyKey } = await tape.beginEffect({ runId, toolName: "pay", requestJson: "{}" }));
      },
      CompleteEffect: () =>
        tape.completeEffect({ runId, idempotencyKey, status: "CONFIRMED", responseJson: '{"ok":true}' }),
      GetRun: () => tape.getRun({ runId }),
      WriteValue: () => tape.writeValue({ namespace: "n", key: "k", valueJson: "1" }),
      GetValue: () => tape.getValue({ namespace: "n", key: "k" }),
      AppendEvent: () => tape.appendEvent({ ...session, event: { author: "a", contentJson: "{}" } }),
      ListRunsToRecover: () => tape.listRunsToRecover({ limit: 10 }),
      EndRun: () => tape.endRun({ runId, status: "TERMINAL" }),
    };
    const lines: string[] = [];
    for (const [name, call] of Object.entries(calls)) lines.push(`| ${name} | ${await measured(proxy, call)} |`);
    const [, table = ""] = page.split("| call | round trips | before the answer | afterwards |\n|---|---|---|---|\n");
    expect(lines).toEqual(table.split("\n\n")[0]?.split("\n"));
  });

  it("of 250 looks at rows in one turn are three, each with the rows it is for", async () => {
    const { store, proxy } = await new Scene(host).openProxied();
    for (const name of ["a", "b"]) await commit(store, appendTo(name, 0, { entries: [entry(1)] }));
    await settled(proxy);
    proxy.forget();
    const names = upTo(250).map((i) => (i === 7 ? "a" : i === 190 ? "b" : `none-${i}`));
    const found = await Promise.all(names.map((name) => store.read(rowId(name), { limit: 0 })));
    expect(found.flatMap((slice, i) => (slice === null ? [] : [`${names[i]} ${slice.version}`]))).toEqual([
      "a 1",
      "b 1",
    ]);
    expect(inWords(proxy.calls)).toBe("ReadRows 100, ReadRows 100, ReadRows 50");
  });
});
