import type { TapeError } from "../errors.ts";

/**
 * An async iterable over a generator that can be left at any moment: leaving the loop fires the generator's signal, so
 * that a wait inside ends at once and everything is freed.
 *
 * `signals` end the stream with an error: the caller's own, and the engine's when it closes.
 */
export function stream<T>(
  signals: readonly { readonly signal: AbortSignal | undefined; readonly error: () => TapeError }[],
  generate: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator](): AsyncIterator<T, void, undefined> {
      const left = new AbortController();
      let failure: TapeError | null = null;
      const cleanUps: (() => void)[] = [];
      const finish = (): void => {
        for (const cleanUp of cleanUps.splice(0)) cleanUp();
        left.abort();
      };
      for (const { signal, error } of signals) {
        if (signal === undefined) continue;
        const fail = (): void => {
          failure ??= error();
          finish();
        };
        if (signal.aborted) fail();
        else {
          signal.addEventListener("abort", fail, { once: true });
          cleanUps.push(() => {
            signal.removeEventListener("abort", fail);
          });
        }
      }
      const generator = generate(left.signal);
      return {
        async next() {
          try {
            const result = failure === null ? await generator.next() : undefined;
            if (failure !== null) throw failure;
            if (result === undefined || result.done === true) {
              finish();
              return { done: true, value: undefined };
            }
            return result;
          } catch (error) {
            finish();
            throw failure ?? error;
          }
        },
        async return() {
          finish();
          await generator.return();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
