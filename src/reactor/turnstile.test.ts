import { expect, it } from "vitest";
import { settle } from "../../test/engine/scripted-store.ts";
import { Turnstile } from "./turnstile.ts";

it("lets so many works go on at a time, in the order of their coming, also when one fails", async () => {
  const turnstile = new Turnstile(2);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const outcomes = Promise.allSettled(
    [0, 1, 2, 3].map((n) =>
      turnstile.pass(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (n === 0) throw new Error("failed");
        return n;
      }),
    ),
  );
  await settle();
  expect(begun).toEqual([0, 1]);
  ends[0]?.();
  await settle();
  expect(begun).toEqual([0, 1, 2]);
  for (const n of [1, 2, 3]) {
    ends[n]?.();
    await settle();
  }
  expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "fulfilled"]);
});
