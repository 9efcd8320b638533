import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check, type SequentialModel } from "./checker.ts";
import type { Answer, Operation } from "./history.ts";

type RegisterInput =
  | { readonly call: "read" }
  | { readonly call: "write"; readonly value: number }
  | { readonly call: "swap"; readonly from: number; readonly to: number };

const register: SequentialModel<number, RegisterInput> = {
  initial: 0,
  isPure: ({ input }) => input.call === "read",
  step(state, { input, answer }) {
    const told = (expected: Answer, next: number): readonly number[] =>
      answer === undefined || JSON.stringify(answer) === JSON.stringify(expected) ? [next] : [];
    switch (input.call) {
      case "read":
        return told({ value: state }, state);
      case "write":
        return told({}, input.value);
      case "swap":
        return told({ swapped: state === input.from }, state === input.from ? input.to : state);
      default:
        return input satisfies never;
    }
  },
};

const call = (invoked: number, returned: number | null, input: RegisterInput, answer: Answer = {}) =>
  ({
    client: `c${invoked}`,
    input,
    invoked,
    fromMs: 0,
    ...(returned === null ? {} : { returned, answer, untilMs: 0 }),
  }) satisfies Operation<RegisterInput>;
const write = (invoked: number, returned: number | null, value: number): Operation<RegisterInput> =>
  call(invoked, returned, { call: "write", value });
const read = (invoked: number, returned: number | null, value: number): Operation<RegisterInput> =>
  call(invoked, returned, { call: "read" }, { value });
const swap = (
  invoked: number,
  returned: number,
  from: number,
  to: number,
  swapped: boolean,
): Operation<RegisterInput> => call(invoked, returned, { call: "swap", from, to }, { swapped });

const histories: readonly {
  readonly name: string;
  readonly verdict: "linearizable" | "violation";
  readonly operations: readonly Operation<RegisterInput>[];
}[] = [
  { name: "nothing", verdict: "linearizable", operations: [] },
  { name: "one after the other", verdict: "linearizable", operations: [write(0, 1, 1), read(2, 3, 1)] },
  {
    name: "a read that overlaps a write and sees the value before it",
    verdict: "linearizable",
    operations: [write(0, 3, 1), read(1, 2, 0)],
  },
  {
    name: "a read that overlaps a write and sees its value",
    verdict: "linearizable",
    operations: [write(0, 3, 1), read(1, 2, 1)],
  },
  { name: "a stale read", verdict: "violation", operations: [write(0, 1, 1), read(2, 3, 0)] },
  { name: "a value from nowhere", verdict: "violation", operations: [write(0, 3, 1), read(1, 2, 2)] },
  {
    name: "two reads that see a write come and go",
    verdict: "violation",
    operations: [write(0, 5, 1), read(1, 2, 1), read(3, 4, 0)],
  },
  { name: "a write that is seen before it began", verdict: "violation", operations: [read(0, 1, 1), write(2, 3, 1)] },
  {
    name: "an order of writes that two readers see differently",
    verdict: "violation",
    operations: [write(0, 2, 1), write(1, 3, 2), read(4, 5, 1), read(6, 7, 2)],
  },
  {
    name: "two that both won one swap",
    verdict: "violation",
    operations: [swap(0, 2, 0, 1, true), swap(1, 3, 0, 2, true)],
  },
  {
    name: "a swap that won, and one that lost to it",
    verdict: "linearizable",
    operations: [swap(0, 3, 0, 1, false), swap(1, 2, 0, 2, true)],
  },
  { name: "a lost update", verdict: "violation", operations: [swap(0, 2, 0, 1, true), write(1, 3, 5), read(4, 5, 0)] },
  {
    name: "a write of unknown outcome that happened",
    verdict: "linearizable",
    operations: [write(0, null, 1), read(1, 2, 1)],
  },
  {
    name: "a write of unknown outcome that did not",
    verdict: "linearizable",
    operations: [write(0, null, 1), read(1, 2, 0), read(3, 4, 0)],
  },
  {
    name: "a write of unknown outcome that happened long after",
    verdict: "linearizable",
    operations: [write(0, null, 1), read(1, 2, 0), write(3, 4, 2), read(5, 6, 2), read(7, 8, 1)],
  },
  {
    name: "a write of unknown outcome that happened twice",
    verdict: "violation",
    operations: [write(0, null, 1), read(1, 2, 1), write(3, 4, 2), read(5, 6, 2), read(7, 8, 1)],
  },
  {
    name: "a write of unknown outcome that is seen before it began",
    verdict: "violation",
    operations: [read(0, 1, 1), write(2, null, 1)],
  },
  {
    name: "two writes of unknown outcome in either order",
    verdict: "linearizable",
    operations: [write(0, null, 1), write(1, null, 2), read(2, 3, 2), read(4, 5, 1)],
  },
  {
    name: "a chain that only one order of many explains",
    verdict: "linearizable",
    operations: [swap(0, 7, 2, 3, true), swap(1, 6, 1, 2, true), swap(2, 5, 0, 1, true), read(3, 4, 0), read(8, 9, 3)],
  },
];

describe("the checker", () => {
  it.each(histories)("finds $verdict: $name", ({ operations, verdict }) => {
    expect(check(register, operations).kind).toBe(verdict);
  });

  it("names the call whose answer cannot be, and what the object could be before it", () => {
    const operations = [write(0, 1, 1), write(2, null, 2), read(3, 4, 1), read(5, 6, 7)];
    expect(check(register, operations)).toMatchObject({
      kind: "violation",
      culprit: 3,
      stands: [{ state: 1, applied: [] }],
    });
  });

  it("goes on from stands that it is given", () => {
    const stands = [{ state: 4, applied: [] }];
    expect(check(register, [read(0, 1, 4)], stands).kind).toBe("linearizable");
    expect(check(register, [write(0, null, 5), read(1, 2, 5)], [{ state: 5, applied: [0] }]).kind).toBe("linearizable");
    expect(check(register, [write(0, null, 5), read(1, 2, 4), read(3, 4, 5)], [{ state: 5, applied: [0] }]).kind).toBe(
      "violation",
    );
  });

  it("gives up after as many states as it is told, and says so", () => {
    const many = Array.from({ length: 12 }, (_, n) => write(n, null, n));
    expect(check(register, [...many, read(20, 21, 99)], undefined, 500)).toEqual({ kind: "undecided", states: 500 });
    expect(check(register, [...many, read(20, 21, 3)], undefined, 500).kind).toBe("linearizable");
  });
});

/** Every order of the answered calls with any of the others, tried one by one: slow, and too plain to be wrong. */
function isExplained(operations: readonly Operation<RegisterInput>[], state = 0): boolean {
  if (operations.every(({ answer }) => answer === undefined)) return true;
  const first = Math.min(...operations.map(({ returned = Infinity }) => returned));
  return operations.some(
    (operation, n) =>
      operation.invoked < first &&
      register.step(state, operation).some((next) => isExplained(operations.toSpliced(n, 1), next)),
  );
}

const inputs = fc.oneof(
  fc.constant<RegisterInput>({ call: "read" }),
  fc.record({ call: fc.constant("write" as const), value: fc.integer({ min: 0, max: 2 }) }),
  fc.record({
    call: fc.constant("swap" as const),
    from: fc.integer({ min: 0, max: 2 }),
    to: fc.integer({ min: 0, max: 2 }),
  }),
);
const answers = fc.record({ isUnknown: fc.nat(4), value: fc.integer({ min: 0, max: 2 }), swapped: fc.boolean() });

/** Requests and answers of up to six calls in any order; answers are guessed. */
const smallHistories = fc
  .array(fc.tuple(inputs, answers, fc.double({ noNaN: true }), fc.double({ noNaN: true })), { maxLength: 6 })
  .map((calls) => {
    const ends = calls.flatMap(([, , a, b]) => [Math.min(a, b), Math.max(a, b)]);
    const places = new Map([...ends.entries()].toSorted(([, a], [, b]) => a - b).map(([end], place) => [end, place]));
    return calls.map(([input, { isUnknown, value, swapped }], n) => {
      const [invoked = 0, returned = 0] = [places.get(2 * n), places.get(2 * n + 1)];
      const answer: Answer = input.call === "read" ? { value } : input.call === "swap" ? { swapped } : {};
      return call(invoked, isUnknown === 0 ? null : returned, input, answer);
    });
  });

describe("every small history", () => {
  it("is judged as by trying all orders", () => {
    const verdicts = new Set<string>();
    fc.assert(
      fc.property(smallHistories, (operations) => {
        const { kind } = check(register, operations);
        verdicts.add(kind);
        expect(kind).toBe(isExplained(operations) ? "linearizable" : "violation");
      }),
      { numRuns: 3000 },
    );
    expect([...verdicts].toSorted()).toEqual(["linearizable", "violation"]);
  });
});
