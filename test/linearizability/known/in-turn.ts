import type { Answer, Input, Operation } from "../history.ts";

/** A history that was written by hand, and whether it may happen. */
export interface KnownHistory {
  readonly name: string;
  readonly kind: "value" | "whole run";
  readonly isPossible: boolean;
  readonly operations: readonly Operation[];
}

/** A call and its answer; `null` is an unknown outcome. */
export type Called<I extends Input> = readonly [input: I, answer: Answer | null, atMs?: number, untilMs?: number];

/** Calls one after the other. Times are milliseconds, 0 unless told. */
export function inTurn<I extends Input>(...calls: readonly Called<I>[]): readonly Operation<I>[] {
  return calls.map(([input, answer, fromMs = 0, untilMs = fromMs], n) => ({
    client: `c${n + 1}`,
    input,
    invoked: 2 * n,
    fromMs,
    ...(answer === null ? {} : { answer, returned: 2 * n + 1, untilMs }),
  }));
}

/** The same, but all of them at once. */
export const atOnce = <I extends Input>(...calls: readonly Called<I>[]): readonly Operation<I>[] =>
  inTurn(...calls).map((operation, n) => ({
    ...operation,
    invoked: n,
    ...(operation.returned === undefined ? {} : { returned: calls.length + n }),
  }));

/** The second part begins when everything of the first was answered. */
export const followedBy = (first: readonly Operation[], second: readonly Operation[]): readonly Operation[] => {
  const later = 1 + Math.max(0, ...first.flatMap(({ invoked, returned = 0 }) => [invoked, returned]));
  return [
    ...first,
    ...second.map((operation) => ({
      ...operation,
      invoked: later + operation.invoked,
      ...(operation.returned === undefined ? {} : { returned: later + operation.returned }),
    })),
  ];
};
