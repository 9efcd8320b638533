import { expect, it } from "vitest";
import { FakeClock } from "./fake-clock.ts";

it("wakes sleepers in the order of their due times, each at its time", async () => {
  const clock = new FakeClock(1000);
  const { signal } = new AbortController();
  const woken: string[] = [];
  const sleeper = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms, signal);
    woken.push(`${name}@${clock.now()}`);
  };
  const all = [sleeper("late", 30), sleeper("early", 10), sleeper("same", 10), sleeper("after", 31)];
  await clock.advance(30);
  expect(woken).toEqual(["early@1010", "same@1010", "late@1030"]);
  expect(clock.now()).toBe(1030);
  expect(clock.sleeping).toBe(1);
  await clock.advance(1);
  await Promise.all(all);
  expect(woken.at(-1)).toBe("after@1031");
});

it("wakes a sleeper that falls asleep again while the time moves", async () => {
  const clock = new FakeClock(0);
  const { signal } = new AbortController();
  const ticks: number[] = [];
  const loop = (async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      await clock.sleep(10, signal);
      ticks.push(clock.now());
    }
  })();
  await clock.advance(100);
  await loop;
  expect(ticks).toEqual([10, 20, 30]);
});

it("resolves a sleep when its signal fires, also when it had fired before", async () => {
  const clock = new FakeClock(0);
  const controller = new AbortController();
  const asleep = clock.sleep(1000, controller.signal);
  controller.abort();
  await asleep;
  await clock.sleep(1000, controller.signal);
  expect(clock.sleeping).toBe(0);
  expect(clock.now()).toBe(0);
});

it("jumps without waking anybody", async () => {
  const clock = new FakeClock(0);
  const controller = new AbortController();
  const asleep = clock.sleep(5, controller.signal);
  clock.jump(100);
  await clock.settle();
  expect(clock.sleeping).toBe(1);
  clock.jump(-40);
  expect(clock.now()).toBe(60);
  await clock.advance(0);
  await asleep;
  expect(clock.now()).toBe(60);
});
