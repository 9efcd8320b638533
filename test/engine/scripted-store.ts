import type {
  Append,
  AppendOutcome,
  ReadOptions,
  RowId,
  RowSlice,
  Store,
  StoreCapabilities,
} from "../../src/store/store.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";

/** What happens to one append: `go` really appends. */
export type AppendAct = (
  batch: readonly Append[],
  go: () => Promise<readonly AppendOutcome[]>,
) => Promise<readonly AppendOutcome[]>;

/** What happens to one read: `go` really reads. */
export type ReadAct = (row: RowId, go: () => Promise<RowSlice | null>) => Promise<RowSlice | null>;

/** A store whose next appends and reads do what a test says; after that it is the store inside. */
export class ScriptedStore extends ForwardingStore {
  readonly #capabilities: StoreCapabilities;
  /** Acts of the coming appends and reads, in order. */
  readonly nextAppends: AppendAct[] = [];
  readonly nextReads: ReadAct[] = [];
  /** Every batch that arrived. */
  readonly batches: (readonly Append[])[] = [];
  /** Rows that were read. */
  readonly reads: RowId[] = [];

  constructor(inner: Store, capabilities: Partial<StoreCapabilities> = {}) {
    super(inner);
    this.#capabilities = { ...inner.capabilities, ...capabilities };
  }

  /** Keeps the next append from starting until it is released; then it appends, unless told otherwise. */
  hold(act: AppendAct = (_batch, go) => go()): {
    readonly arrived: Promise<readonly Append[]>;
    readonly release: () => void;
  } {
    const arrived = withResolvers<readonly Append[]>();
    const released = withResolvers<undefined>();
    this.nextAppends.push(async (batch, go) => {
      arrived.resolve(batch);
      await released.promise;
      return act(batch, go);
    });
    return {
      arrived: arrived.promise,
      release: () => {
        released.resolve(undefined);
      },
    };
  }

  override get capabilities(): StoreCapabilities {
    return this.#capabilities;
  }

  override append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    this.batches.push(batch);
    const act = this.nextAppends.shift();
    const go = (): Promise<readonly AppendOutcome[]> => super.append(batch);
    return act === undefined ? go() : act(batch, go);
  }

  override read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    this.reads.push(row);
    const act = this.nextReads.shift();
    const go = (): Promise<RowSlice | null> => super.read(row, options);
    return act === undefined ? go() : act(row, go);
  }
}

interface Resolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

/** A promise and what resolves it. */
export function withResolvers<T>(): Resolvers<T> {
  let resolve = (_value: T): void => {};
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Lets everything go on that waits for nobody but the event loop. */
export async function settle(turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Whether the promise has come to an end by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  promise.then(note, note);
  await settle();
  return settled;
}
