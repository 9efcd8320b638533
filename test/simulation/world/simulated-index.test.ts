import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partitionOf, runRow } from "../../../src/codec/row-id.ts";
import type { ScanItem } from "../../../src/store/store.ts";
import { SimulatedIndex } from "./simulated-index.ts";

const index = "i";
const names = fc.constantFrom("a", "b", "c", "d", "e");
const rows = names.map((name) => runRow(partitionOf(""), name));
const steps = fc.array(fc.record({ row: rows, key: names, version: fc.nat({ max: 5 }), isAdded: fc.boolean() }));
const bounds = fc.record(
  { from: names, to: names, after: fc.record({ key: names, row: rows }), limit: fc.integer({ min: 1, max: 8 }) },
  { requiredKeys: ["limit"] },
);

const place = ({ key, row }: ScanItem): string => `${key} ${row}`;

describe("the index of simulated worlds", () => {
  it("gives the keys that are there, in order, from where it is asked, and says where more begins", () => {
    fc.assert(
      fc.property(steps, fc.array(bounds), (changes, asked) => {
        const simulated = new SimulatedIndex();
        const there = new Map<string, number>();
        for (const { row, key, version, isAdded } of changes) {
          const name = place({ key, row });
          if (isAdded) {
            simulated.add(row, { index, key }, version);
            there.set(name, Math.max(version, there.get(name) ?? 0));
          } else {
            simulated.remove(row, { index, key }, version);
            if ((there.get(name) ?? 0) <= version) there.delete(name);
          }
          // In between, so that what it remembers of an earlier look is out of date at the next.
          expect(simulated.scan(index, { limit: 100 }).items.map(place)).toEqual([...there.keys()].toSorted());
        }
        for (const { from = "", to, after, limit } of asked) {
          const all = [...there.keys()].toSorted().filter((name) => {
            const isInRange = name >= from && (to === undefined || name < to);
            return isInRange && (after === undefined || name > place(after));
          });
          const { items, next } = simulated.scan(index, { from, ...(to === undefined ? {} : { to }), after, limit });
          expect(items.map(place)).toEqual(all.slice(0, limit));
          expect(next).toEqual(all.length > limit ? items.at(-1) : undefined);
        }
      }),
    );
  });

  it("keeps a key that was added again since it was to be removed", () => {
    const simulated = new SimulatedIndex();
    const row = runRow(partitionOf(""), "row");
    simulated.add(row, { index, key: "k" }, 1);
    simulated.add(row, { index, key: "k" }, 3);
    simulated.remove(row, { index, key: "k" }, 2);
    expect(simulated.of(index, row)).toEqual(["k"]);
    simulated.remove(row, { index, key: "k" }, 4);
    expect(simulated.of(index, row)).toEqual([]);
  });
});
