import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plain, reloaded, RowDriver } from "../../../test/journal/row-driver.ts";
import { TapeError } from "../../errors.ts";
import { defaultLimits as limits } from "../limits.ts";
import { deleteValue, getValue, valueEvent, valueRules, writeValue, type Value, type ValueRowEvent } from "./value.ts";

const at = { namespace: "n", key: "k/ü" } as const;
const drive = (): RowDriver<Value, ValueRowEvent> => new RowDriver(valueRules);
const write = (valueJson: string, ifVersion = -1) => writeValue({ ...at, valueJson, ifVersion, writer: "w" }, limits);

interface Step {
  readonly kind: "write" | "delete";
  readonly value: string;
  readonly ifVersion: number;
  readonly requestHash: string;
}
const histories = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom("write", "write", "delete"),
    value: fc.constantFrom("", "1", '"é"', "12345678901234567890"),
    ifVersion: fc.integer({ min: -1, max: 6 }),
    requestHash: fc.constantFrom("", "", "r1", "r2"),
  }),
  { maxLength: 30, size: "max" },
);

describe("every history of a value", () => {
  it("has versions that rise by one with every write and delete, and are never used again (R60)", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const value = drive();
        let wanted = { version: 0, json: "", present: false };
        const seen = new Set<string>();
        for (const { kind, value: json, ifVersion, requestHash } of history) {
          const isRepeat = seen.has(requestHash);
          const matches = ifVersion < 0 || (ifVersion === 0 ? !wanted.present : ifVersion === wanted.version);
          const changes = !isRepeat && (kind === "write" ? matches : wanted.present);
          try {
            value.call(kind === "write" ? write(json, ifVersion) : deleteValue(at, limits), { requestHash });
          } catch (error) {
            assert.ok(error instanceof TapeError);
            assert.equal(error.reason, "VERSION_MISMATCH");
            assert.equal(error.ids["current_version"], String(wanted.version));
            assert.ok(!matches);
          }
          if (changes) {
            wanted = { version: wanted.version + 1, json: kind === "write" ? json : "", present: kind === "write" };
            if (requestHash !== "") seen.add(requestHash);
          }
          const found = value.call(getValue(at, limits)).value;
          assert.equal(found.found, wanted.present);
          assert.equal(value.state.seq, wanted.version);
          assert.equal(found.value?.valueJson ?? "", wanted.json);
        }
      }),
    );
  });

  it("is the same when loaded from the store, and when caught up from any earlier moment", () => {
    fc.assert(
      fc.property(histories, (history) => {
        const value = drive();
        const earlier = [structuredClone(value.state)];
        for (const { kind, value: json, requestHash } of history) {
          value.call(kind === "write" ? write(json) : deleteValue(at, limits), { requestHash });
          assert.deepEqual(reloaded(value), plain(value.state));
          earlier.push(structuredClone(value.state));
        }
        for (const known of earlier) assert.deepEqual(reloaded(value, known), plain(value.state));
      }),
      { numRuns: 50 },
    );
  });
});

describe("a value", () => {
  it("keeps at least its last 1,000 versions, and not many more (R61)", () => {
    const value = drive();
    for (let i = 0; i < 2500; i += 1) {
      value.call(write("1"));
      const oldest = valueRules.trimBelow(value.state);
      const kept = value.state.seq - oldest + 1;
      expect(kept >= Math.min(1000, value.state.seq) && kept <= 1101).toBe(true);
    }
  });

  it("is told to a watcher with what was there before (R61)", () => {
    const value = drive();
    const metas = [write("1"), deleteValue(at, limits), write("2")].map((decide) => {
      const [event] = value.call(decide as ReturnType<typeof write>).events;
      return event !== undefined && "meta" in event ? JSON.stringify(event.meta) : "";
    });
    const told = metas.map((meta, i) => valueEvent({ seq: i + 1, meta, at: i }, metas[i - 1], "~/value/n/k"));
    expect(told).toMatchObject([
      { value: { version: 1, valueJson: "1", deleted: false, tsMs: 0 }, prevVersion: 0, prevValueJson: "" },
      { value: { version: 2, valueJson: "", deleted: true, tsMs: 1 }, prevVersion: 1, prevValueJson: "1" },
      { value: { version: 3, valueJson: "2", deleted: false, tsMs: 2 }, prevVersion: 2, prevValueJson: "" },
    ]);
  });

  it("remembers the last 64 request ids (R3)", () => {
    const value = drive();
    for (let i = 0; i < 65; i += 1) value.call(write("1"), { requestHash: `r${i}` });
    expect(value.call(write("2"), { requestHash: "r1" }).events).toEqual([]);
    expect(value.call(write("2"), { requestHash: "r0" }).events).toHaveLength(2);
  });
});
