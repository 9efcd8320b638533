import { TapeError } from "../errors.ts";
import type { CallScope } from "./call-scope.ts";

/** One iteration: its items, the call it belongs to, and what to do once when it is over. */
export interface Iteration<Item> {
  readonly items: AsyncGenerator<Item, void, undefined>;
  readonly scope: CallScope;
  readonly release: () => void;
}

/**
 * An iterable whose iterations can be left while the next item is awaited. A generator alone cannot: its `return` waits
 * for the `next` under way, which on a quiet stream may be for ever.
 */
export function leavable<Item>(begin: () => Iteration<Item>): AsyncIterable<Item> {
  return {
    [Symbol.asyncIterator]() {
      let iteration: Iteration<Item> | undefined;
      let over = false;
      const end = (): void => {
        over = true;
        iteration?.release();
      };
      return {
        async next() {
          if (over) return { done: true, value: undefined };
          try {
            iteration ??= begin();
            const result = await iteration.items.next();
            if (result.done === true) end();
            return result;
          } catch (error) {
            // Whoever left on purpose gets an end, not the error that leaving made.
            const left = over;
            end();
            if (left) return { done: true, value: undefined };
            throw error;
          }
        },
        async return() {
          end();
          iteration?.scope.end(new TapeError("CANCELLED", "The reader left the stream."));
          // Rejects when it ends a `next` under way, which answers for itself.
          await iteration?.items.return().catch(() => undefined);
          return { done: true, value: undefined };
        },
      };
    },
  };
}
