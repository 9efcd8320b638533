/** Random choices that a seed repeats exactly, so that a failing run can be replayed. */
export interface Random {
  /** From 0 inclusive to 1 exclusive. */
  next(): number;
  /** A whole number from 0 to `below` - 1. */
  int(below: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T;
  /** The list in another order. */
  shuffle<T>(list: readonly T[]): T[];
  /** Lower-case hex digits. */
  hex(digits: number): string;
  /** A generator of its own, so that more draws in one part of a test do not change another part. */
  fork(): Random;
}

/**
 * A generator for tests, not for secrets.
 * Source: sfc32 by Chris Doty-Humphrey (PractRand), 128 bits of state, here filled by splitmix32 from one number.
 */
export function seededRandom(seed: number): Random {
  const fill = splitmix32(seed);
  const next = sfc32(fill(), fill(), fill(), fill());
  const int = (below: number): number => Math.floor(next() * below);
  const pick = <T>(list: readonly T[]): T => {
    if (list.length === 0) throw new RangeError("nothing to pick from");
    return list[int(list.length)] as T;
  };
  return {
    next,
    int,
    pick,
    chance: (probability) => next() < probability,
    shuffle: (list) => {
      const rest = [...list];
      return list.flatMap(() => rest.splice(int(rest.length), 1));
    },
    hex: (digits) => Array.from({ length: digits }, () => int(16).toString(16)).join(""),
    fork: () => seededRandom(int(2 ** 32)),
  };
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

function sfc32(first: number, second: number, third: number, fourth: number): () => number {
  let [a, b, c, counter] = [first, second, third, fourth];
  const step = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let warm = 0; warm < 12; warm += 1) step();
  return step;
}
