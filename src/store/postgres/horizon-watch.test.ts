import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { noObserver } from "../store-observer.ts";
import type { Line } from "./connections.ts";
import { HorizonWatch, type HorizonWatchOptions } from "./horizon-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch over a server that answers this: the oldest transaction and whether it is in the way, then whose it is. */
function watchOver(answer: (statement: string) => readonly Line[], options: Partial<HorizonWatchOptions> = {}) {
  const read = vi.fn<(statement: { readonly name: string }) => Promise<readonly Line[]>>(async ({ name }) =>
    answer(name),
  );
  const watch = new HorizonWatch({
    connections: { read },
    observer: noObserver,
    misplaced: () => Promise.resolve([]),
    everyMs: 10_000,
    stalledMs: 30_000,
    now: () => Date.now(),
    ...options,
  });
  return { watch, read };
}

it("says where to look when nobody shows as the holder", async () => {
  const warnings: string[] = [];
  const { watch } = watchOver((name) => (name === "tape_oldest" ? [["815", true]] : []), {
    observer: { gauge: () => undefined, warn: (line) => void warnings.push(line) },
  });
  await watch.look();
  vi.advanceTimersByTime(45_000);
  await watch.look();
  expect(warnings).toEqual([
    "the feed has stood still for 45 s: events are recorded, but not delivered until transaction 815 ends; whose it is does not show here: have an administrator look into pg_stat_activity and pg_prepared_xacts",
  ]);
});

it("looks now and then until it is stopped, and a look that fails is no reason to end", async () => {
  const { watch, read } = watchOver(() => {
    throw new Error("no connection");
  });
  watch.start();
  watch.start();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(read).toHaveBeenCalledTimes(3);
  await watch.stop();
  await watch.stop();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(read).toHaveBeenCalledTimes(3);
});
