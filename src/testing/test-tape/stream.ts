import { setTimeout as after } from "node:timers/promises";

/** Real milliseconds after which a wait that the rules promise to end is called a failure. */
const patienceMs = 30_000;

/** A stream that a case reads item by item; every wait of it ends, if only by failing. */
export interface Followed<T> {
  /** The next item; rejects when the stream ends, or rejects, or stays silent. */
  next(): Promise<T>;
  /** The next n items. */
  take(n: number): Promise<T[]>;
  /** Everything up to the end; rejects when the stream does not end. */
  rest(): Promise<T[]>;
  /** Leaves: ends the stream as `break` in a loop does. */
  leave(): Promise<void>;
}

/** Opens a stream; nothing is read before the first wait, except that the first item is asked for at once. */
export function follow<T>(open: (signal: AbortSignal) => AsyncIterable<T>): Followed<T> {
  const controller = new AbortController();
  let iterator: AsyncIterator<T> | undefined;
  let asked: Promise<IteratorResult<T>> | undefined = ask();

  // What is wrong with the request may be thrown by the call or by the first read: both come out of the first wait.
  async function ask(): Promise<IteratorResult<T>> {
    iterator ??= open(controller.signal)[Symbol.asyncIterator]();
    return iterator.next();
  }
  // A stream that was left before anybody waited must not make an unhandled rejection.
  asked.catch(() => undefined);
  const step = async (): Promise<IteratorResult<T>> => {
    const answer = asked ?? ask();
    asked = undefined;
    return within(answer, "the stream stayed silent");
  };
  const next = async (): Promise<T> => {
    const result = await step();
    if (result.done === true) throw new Error("the stream ended, another item was due");
    return result.value;
  };
  return {
    next,
    take: async (n) => {
      const items: T[] = [];
      while (items.length < n) items.push(await next());
      return items;
    },
    rest: async () => {
      const items: T[] = [];
      for (let result = await step(); result.done !== true; result = await step()) items.push(result.value);
      return items;
    },
    leave: async () => {
      controller.abort();
      await within(Promise.resolve(iterator?.return?.()), "leaving the stream did not end it").catch(ignoreCancelled);
    },
  };
}

/** The promise's answer, or a failure if it does not come in reasonable real time. */
async function within<T>(promise: Promise<T>, complaint: string): Promise<T> {
  const controller = new AbortController();
  const late = after(patienceMs, undefined, { signal: controller.signal }).then(
    () => Promise.reject(new Error(`${complaint} for ${patienceMs} ms`)),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    controller.abort();
  }
}

/** Asks until the answer is there; between two questions `pause` lets time and work go on. */
export async function eventually<T>(
  question: () => Promise<T | undefined | false>,
  pause: () => Promise<void>,
  complaint: string,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await question();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`${complaint} within ${patienceMs} ms`);
    await pause();
  }
}

function ignoreCancelled(error: unknown): void {
  if ((error as { code?: unknown }).code !== "CANCELLED") throw error;
}
