import { expect, it } from "vitest";
import { seededRandom } from "./random.ts";

it("repeats its choices for one seed and makes others for another", () => {
  const draw = (seed: number): unknown[] => {
    const random = seededRandom(seed);
    return [random.int(1000), random.pick(["a", "b", "c"]), random.shuffle([1, 2, 3, 4, 5]), random.hex(8)];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

it("draws evenly", () => {
  const random = seededRandom(1);
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < 4000; draw += 1) {
    const face = random.int(4);
    counts[face] = (counts[face] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  const heads = Array.from({ length: 4000 }, () => random.chance(0.25)).filter(Boolean).length;
  expect(Math.abs(heads - 1000)).toBeLessThan(120);
});

it("shuffles without losing anything, and a fork has choices of its own", () => {
  const random = seededRandom(3);
  const list = Array.from({ length: 50 }, (_, index) => index);
  const shuffled = random.shuffle(list);
  expect(shuffled).not.toEqual(list);
  expect(shuffled.toSorted((a, b) => a - b)).toEqual(list);
  expect(random.fork().hex(16)).not.toBe(random.fork().hex(16));
});

it("refuses to pick from nothing", () => {
  expect(() => seededRandom(1).pick([])).toThrow(RangeError);
});
