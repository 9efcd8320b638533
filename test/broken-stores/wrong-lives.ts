import { setImmediate as turn } from "node:timers/promises";
import { TapeError } from "../../src/errors.ts";
import type { Append, AppendOutcome, Store } from "../../src/store/store.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";
import { broken, ChangedStore, type BrokenStore } from "./broken-store.ts";

async function* never(): AsyncGenerator<void> {
  // No hint, and an end at once.
}

async function* endless(hints: AsyncIterable<void>): AsyncGenerator<void> {
  yield* hints;
  yield;
}

/** Stores that get it wrong. */
export const wrongLives: readonly BrokenStore[] = [
  broken("it never wakes", "wake: a commit wakes every listener", { wake: never }),
  broken(
    "it listens from the first turn of the loop on",
    "wake: it listens from the call on, also before it is iterated",
    {
      wake: (good, signal) => lazily(() => good.wake({ signal })),
    },
  ),
  broken("it does not hear other objects", "wake: a commit through another object wakes too", () => {
    const own = { commits: 0 };
    return {
      append: (good, batch) => {
        own.commits += 1;
        return good.append(batch);
      },
      wake: (good, signal) => (own.commits === 0 ? never() : good.wake({ signal })),
    };
  }),
  broken("its wake goes on after the signal", "wake: it ends when the signal fires, at once when it has fired", {
    wake: (good, signal) => endless(good.wake({ signal })),
  }),
  broken("its wake does not end when it closes", "wake: it ends when the store closes, and does not begin afterwards", {
    wake: (good, signal) => hanging(good.wake({ signal })),
  }),
  broken("it goes on when the loop was left", "wake: leaving the loop frees the listener", {
    wake: (good, signal) => ({
      [Symbol.asyncIterator]: () => ({
        ...good.wake({ signal }),
        next: async () => ({ done: false, value: undefined }),
      }),
    }),
  }),
  {
    wrong: "its capabilities change",
    caughtBy: "life: the capabilities are frozen and make sense",
    breaks: (good) => {
      const store = new ChangedStore(good, {});
      Object.defineProperty(store, "capabilities", { value: { ...good.capabilities } });
      return store;
    },
  },
  broken("it goes on when it is closed", "life: a store that is closed refuses every operation", {
    close: async () => undefined,
  }),
  broken("it cannot be closed twice", "life: closing twice, or at once from two places, is fine", () => {
    let isClosed = false;
    return {
      close: async (good) => {
        if (isClosed) throw new TapeError("INTERNAL", "already closed");
        isClosed = true;
        await good.close();
      },
    };
  }),
  {
    wrong: "it does not look at the signal",
    caughtBy: "life: a cancelled call is refused and writes nothing",
    breaks: (good) => new SignalBlind(good),
  },
  {
    wrong: "it migrates every time",
    caughtBy: "life: opening and migrating again change nothing",
    breaks: (good) => new Remigrating(good),
  },
  broken("it drops appends under way when it closes", "life: closing waits for appends under way", () => {
    let isClosed = false;
    return {
      append: async (good, batch) => {
        await turn();
        return isClosed ? batch.map(() => ({ kind: "unknown", cause: undefined })) : good.append(batch);
      },
      close: async (good) => {
        isClosed = true;
        await good.close();
      },
    };
  }),
];

class SignalBlind extends ForwardingStore {
  override append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    return super.append(batch);
  }
}

class Remigrating extends ForwardingStore {
  override async migrate(options: { readonly dryRun: boolean }): ReturnType<Store["migrate"]> {
    return { steps: [{ id: 1, name: "again", statements: "" }], dryRun: options.dryRun };
  }
}

async function* lazily(hints: () => AsyncIterable<void>): AsyncGenerator<void> {
  yield* hints();
}

async function* hanging(hints: AsyncIterable<void>): AsyncGenerator<void> {
  yield* hints;
  await new Promise(() => undefined);
}
