import { afterEach, beforeEach, expect, it } from "vitest";
import type { Access } from "../model/access.ts";
import type { BeginRunRequest } from "../model/run.ts";
import { MemoryStore } from "../store/memory/memory-store.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { Engine } from "./engine.ts";

let store: MemoryStore;
let engine: Engine;

beforeEach(async () => {
  store = new MemoryStore();
  await store.migrate({ dryRun: false });
  engine = new Engine({ store, clock: new FakeClock(), reactors: false });
});

afterEach(async () => {
  await engine.close();
  await store.close();
});

const acme = { partition: "acme", tenant: "acme" };
const run = (scopes: readonly string[]): BeginRunRequest => ({ appName: "a", invocationId: "1", scopes });

it.each<[string, Access, readonly string[]]>([
  ["one that is listed", { ...acme, scopes: ["mail", "refunds"] }, ["refunds"]],
  ["all that are listed", { ...acme, scopes: ["mail", "refunds"] }, ["refunds", "mail"]],
  ["none", { ...acme, scopes: [] }, []],
  ["any, without a list", acme, ["whatever"]],
])("a credential grants %s", async (_what, access, scopes) => {
  const tape = engine.tape(access);
  const { runId } = await tape.beginRun(run(scopes));
  expect((await tape.getRun({ runId })).scopes).toEqual(scopes);
});

it.each<[string, readonly string[], readonly string[]]>([
  ["one that is not listed", ["mail"], ["refunds"]],
  ["one beside those that are", ["mail"], ["mail", "refunds"]],
  ["any, when its list is empty", [], ["refunds"]],
  ["part of one", ["refunds/large"], ["refunds"]],
  ["a star, which is no word here", ["mail"], ["*"]],
])("a credential does not grant %s, and nothing is written (R21)", async (_what, allowed, scopes) => {
  const tape = engine.tape({ ...acme, scopes: allowed });
  await expect(tape.beginRun(run(scopes))).rejects.toMatchObject({ reason: "SCOPE_NOT_GRANTED" });
  expect(await store.tail({ after: 0, limit: 10 })).toMatchObject({ entries: [] });
});

it("callers of one tenant share its runs, and not what they may grant", async () => {
  const [agent, auditor] = [engine.tape({ ...acme, scopes: ["refunds"] }), engine.tape({ ...acme, scopes: [] })];
  const { runId } = await agent.beginRun(run(["refunds"]));
  expect((await auditor.getRun({ runId })).scopes).toEqual(["refunds"]);
  await expect(auditor.beginRun(run(["refunds"]))).rejects.toMatchObject({ reason: "SCOPE_NOT_GRANTED" });
});

it("a credential is of one tenant, whichever the request names, and nothing is written", async () => {
  const tape = engine.tape(acme);
  const refused = { reason: "TENANT_NOT_GRANTED", ids: { tenant_id: "other" } };
  await expect(tape.beginRun({ ...run([]), tenantId: "other" })).rejects.toMatchObject(refused);
  await expect(tape.inspect.listRuns({ tenantId: "other" })).rejects.toMatchObject(refused);
  expect(await store.tail({ after: 0, limit: 10 })).toMatchObject({ entries: [] });
  const { runId } = await tape.beginRun({ ...run([]), tenantId: "acme" });
  expect(await tape.getRun({ runId })).toMatchObject({ tenantId: "acme" });
});

it("the same access gets the same Tape", () => {
  expect(engine.tape(acme)).toBe(engine.tape(acme));
});
