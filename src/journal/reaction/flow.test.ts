import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plain, reloaded, RowDriver } from "../../../test/journal/row-driver.ts";
import { flowRules, giveBack, handOut } from "./flow.ts";

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("hand out" as const), wanted: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant("end" as const), which: fc.nat({ max: 9 }) }),
    fc.record({ kind: fc.constant("lose" as const), which: fc.nat({ max: 9 }) }),
    fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 300, 700, 5000) }),
  ),
  { maxLength: 40, size: "max" },
);
const limits = fc.record({
  maxConcurrency: fc.integer({ min: 0, max: 4 }),
  rateLimitPerS: fc.integer({ min: 0, max: 4 }),
});
const leaseMs = 4000;

interface Claim {
  readonly name: string;
  readonly atMs: number;
  readonly expiresAtMs: number;
  ended: boolean;
  used: boolean;
}

describe("what is handed out", () => {
  it("never exceeds the limits of the reaction, whatever is claimed, ended, lost or expires (R71)", () => {
    fc.assert(
      fc.property(limits, steps, (limit, history) => {
        const flow = new RowDriver(flowRules);
        const claims: Claim[] = [];
        for (const step of history) {
          if (step.kind === "wait") flow.now += step.ms;
          else if (step.kind === "hand out") {
            const names = Array.from({ length: step.wanted }, (_, i) => `${flow.events.length}-${flow.now}-${i}`);
            const expiresAtMs = flow.now + leaseMs;
            const { value } = flow.call(handOut({ claims: names, expiresAtMs, ...limit }));
            for (const name of names.slice(0, value)) {
              claims.push({ name, atMs: flow.now, expiresAtMs, ended: false, used: true });
            }
          } else {
            const claim = claims.filter(({ ended }) => !ended)[step.which];
            if (claim === undefined) continue;
            claim.ended = true;
            claim.used = step.kind === "end";
            flow.call(giveBack([claim.name], step.kind === "lose"));
          }
          const live = claims.filter(({ ended, expiresAtMs }) => !ended && expiresAtMs > flow.now);
          if (limit.maxConcurrency > 0) assert.ok(live.length <= limit.maxConcurrency);
          assert.deepEqual(reloaded(flow), plain(flow.state));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("is no more than the rate in any second, to the millisecond (R71)", () => {
    const flow = new RowDriver(flowRules);
    let calls = 0;
    const take = (wanted: number): number => {
      calls += 1;
      const claims = Array.from({ length: wanted }, (_, i) => `${calls}-${i}`);
      return flow.call(handOut({ claims, expiresAtMs: flow.now + leaseMs, maxConcurrency: 0, rateLimitPerS: 3 })).value;
    };
    expect(take(2)).toBe(2);
    flow.now += 400;
    expect(take(5)).toBe(1);
    flow.now += 599;
    expect(take(5)).toBe(0);
    flow.now += 1;
    expect(take(5)).toBe(2);
    flow.now += 400;
    expect(take(5)).toBe(1);
  });

  it("counts an attempt that is made again once, and not what did not come about", () => {
    const flow = new RowDriver(flowRules);
    const limit = { expiresAtMs: flow.now + leaseMs, maxConcurrency: 2, rateLimitPerS: 2 };
    const take = (...claims: string[]): number => flow.call(handOut({ claims, ...limit })).value;
    expect(take("a", "b")).toBe(2);
    expect(take("a", "b")).toBe(2);
    expect(take("c")).toBe(0);
    flow.call(giveBack(["b"], true));
    expect(take("c")).toBe(1);
    flow.call(giveBack(["a"], false));
    expect(take("d")).toBe(0);
    flow.now += 1000;
    expect(take("d")).toBe(1);
    expect(flow.call(giveBack(["unknown"], false)).events).toEqual([]);
  });
});
