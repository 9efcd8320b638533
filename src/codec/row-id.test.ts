import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RowId } from "../model/row.ts";
import {
  appStateRow,
  claimRow,
  indexName,
  indexPath,
  partitionOf,
  partitionOfRow,
  runIdOf,
  runRow,
  sessionRow,
  userStateRow,
  valueRow,
  type RunIdentity,
} from "./row-id.ts";

const names = fc.string({ unit: fc.constantFrom("/", "%", "~", "a", "run", "value", "é", "2F"), maxLength: 4 });

/** Every kind of row, of three names. */
const rows: readonly ((partition: string, a: string, b: string, c: string) => { row: RowId; what: unknown[] })[] = [
  (p, a) => ({ row: runRow(partitionOf(p), a), what: ["run", p, a] }),
  (p, a, b) => ({ row: valueRow(partitionOf(p), a, b), what: ["value", p, a, b] }),
  (p, a, b, c) => ({ row: sessionRow(partitionOf(p), a, b, c), what: ["session", p, a, b, c] }),
  (p, a, b) => ({ row: userStateRow(partitionOf(p), a, b), what: ["user state", p, a, b] }),
  (p, a) => ({ row: appStateRow(partitionOf(p), a), what: ["app state", p, a] }),
  (p, a, b, c) => ({ row: claimRow(partitionOf(p), a, b, c), what: ["claim", p, a, b, c] }),
];

describe("row ids", () => {
  it("never collide, whatever the names, and keep tenants apart", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.constantFrom(...rows), names, names, names, names, (make, partition, a, b, c) => {
        const { row, what } = make(partition, a, b, c);
        const text = JSON.stringify(what);
        expect(seen.get(row) ?? text).toBe(text);
        seen.set(row, text);
        expect(partitionOfRow(row)).toBe(partitionOf(partition));
        expect(row).toMatch(/^[\x21-\x7e]{1,1024}$/);
      }),
      { numRuns: 3000 },
    );
  });

  it("stay below 1,024 bytes with the longest names that rule R7 allows", () => {
    const long = "€".repeat(170);
    expect(sessionRow(partitionOf(long), long, long, long).length).toBeLessThan(1024);
    expect(claimRow(partitionOf(long), long, long, long).length).toBeLessThan(1024);
  });

  it.each([
    [runRow(partitionOf(""), "run-1"), "~/run/run-1"],
    [runRow(partitionOf("acme"), "run-1"), "acme/run/run-1"],
    [valueRow(partitionOf(""), "", "a/b"), "~/value/~/a%2Fb"],
    [sessionRow(partitionOf(""), "app", "", "s"), "~/session/app/~/s"],
    [userStateRow(partitionOf(""), "app", "u"), "~/user-state/app/u"],
    [appStateRow(partitionOf(""), "app"), "~/app-state/app"],
    [claimRow(partitionOf(""), "", "bank", "order 1"), "~/claim/~/bank/order%201"],
  ])("%s", (row, text) => {
    expect(row).toBe(text);
  });
});

describe("index names", () => {
  it("never collide, whatever the names", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(names, fc.array(names, { minLength: 1, maxLength: 3 }), (partition, segments) => {
        const index = indexName(partitionOf(partition), ...segments);
        const text = JSON.stringify([partition, segments]);
        expect(seen.get(index) ?? text).toBe(text);
        seen.set(index, text);
        expect(index).toBe(`${partitionOf(partition)}/${indexPath(...segments)}`);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the id of a run", () => {
  const identity: RunIdentity = { tenantId: "", appName: "app", userId: "u", sessionId: "s", invocationId: "i" };

  it("is the same for ever: stored data is found by it", () => {
    expect(runIdOf(identity)).toBe("run-4f58hpsh93pskttm9fq3w79x");
  });

  it("is another one for any other identity", () => {
    const ids = new Map<string, string>();
    const parts = fc.string({ unit: fc.constantFrom('"', ",", "[", "a", "\\"), maxLength: 3 });
    fc.assert(
      fc.property(fc.tuple(parts, parts, parts, parts, parts), (all) => {
        const [tenantId, appName, userId, sessionId, invocationId] = all;
        const id = runIdOf({ tenantId, appName, userId, sessionId, invocationId });
        expect(id).toMatch(/^run-[0-9a-hjkmnp-tv-z]{24}$/);
        expect(ids.get(id) ?? all.join("\n")).toBe(all.join("\n"));
        ids.set(id, all.join("\n"));
      }),
      { numRuns: 1000 },
    );
  });
});
