import { expect, test } from "vitest";
import { handleComplaint, type World } from "../../examples/refund-agent.ts";
import { openTape } from "../../src/index.ts";

test("the example dies after the refund was made, comes back, and refunds once", async () => {
  await using tape = await openTape("sqlite::memory:");
  const refunds = new Map<string, number>();
  let asked = 0;
  let deaths = 1;
  const world: World = {
    decide: () => {
      asked += 1;
      return Promise.resolve({ refundCents: 1999 });
    },
    refund: (cents, idempotencyKey) => {
      refunds.set(idempotencyKey, cents);
      deaths -= 1;
      return deaths < 0 ? Promise.resolve({ receipt: "r-1" }) : Promise.reject(new Error("died"));
    },
  };
  await expect(handleComplaint(tape, world, "ticket-1", "broken")).rejects.toThrow("died");
  expect(await handleComplaint(tape, world, "ticket-1", "broken")).toBe("ticket-1: refunded 1999 cents");
  expect(await handleComplaint(tape, world, "ticket-1", "broken")).toBe("ticket-1 is TERMINAL already");
  expect(asked).toBe(1);
  expect([...refunds.values()]).toEqual([1999]);
});
