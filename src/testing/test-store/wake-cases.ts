import assert from "node:assert/strict";
import type { Store } from "../../store/store.ts";
import { appendTo, commit, pause, within } from "./material.ts";
import { storeCase, type StoreCase } from "./store-case.ts";

/** More than any store may take, so that a busy machine fails no case. */
const patienceMs = 30_000;

interface Listener {
  /** Resolves at the next hint; rejects when the iteration ends instead. */
  readonly hint: () => Promise<void>;
  /** Resolves when the iteration ends, whatever hints come before. */
  readonly end: () => Promise<void>;
  readonly stop: () => void;
}

function listen(store: Store): Listener {
  const abort = new AbortController();
  const hints = store.wake({ signal: abort.signal })[Symbol.asyncIterator]();
  const hint = async (): Promise<void> => {
    const { done } = await within(patienceMs, "a wake hint", hints.next());
    assert.ok(done !== true, "wake ended without a reason");
  };
  const end = async (): Promise<void> => {
    for (;;) if ((await within(patienceMs, "the end of wake", hints.next())).done === true) return;
  };
  return { hint, end, stop: () => abort.abort() };
}

/** Hints that something was committed. */
export const wakeCases: readonly StoreCase[] = [
  storeCase("wake: a commit wakes every listener", async ({ store }) => {
    const listeners = [listen(store), listen(store)];
    await commit(store, appendTo("a", 0));
    for (const { hint } of listeners) await hint();
    await commit(store, appendTo("a", 1));
    for (const { hint } of listeners) await hint();
    for (const { stop } of listeners) stop();
  }),

  storeCase("wake: it listens from the call on, also before it is iterated", async ({ store }) => {
    const { hint, stop } = listen(store);
    await commit(store, appendTo("a", 0));
    await pause(2 * store.capabilities.wakeDelayMs);
    await hint();
    stop();
  }),

  storeCase(
    "wake: a commit through another object wakes too",
    async ({ store, reopen }) => {
      const other = await reopen();
      const { hint, stop } = listen(store);
      for (const version of [0, 1, 2]) {
        await commit(other, appendTo("a", version));
        await hint();
      }
      stop();
    },
    "reopen",
  ),

  storeCase("wake: it ends when the signal fires, at once when it has fired", async ({ store }) => {
    const waiting = listen(store);
    const ended = waiting.end();
    waiting.stop();
    await ended;
    const late = listen(store);
    late.stop();
    await late.end();
    const dead = store.wake({ signal: AbortSignal.abort() });
    for await (const _ of dead) assert.fail("a hint after the signal had fired");
  }),

  storeCase("wake: it ends when the store closes, and does not begin afterwards", async ({ store }) => {
    const waiting = listen(store);
    const ended = waiting.end();
    await store.close();
    await ended;
    await listen(store).end();
  }),

  storeCase("wake: leaving the loop frees the listener", async ({ store }) => {
    const abort = new AbortController();
    const hints = store.wake({ signal: abort.signal });
    await commit(store, appendTo("a", 0));
    let count = 0;
    for await (const _ of hints) {
      count += 1;
      break;
    }
    assert.equal(count, 1);
    for await (const _ of hints) assert.fail("a hint after the loop was left");
  }),
];
