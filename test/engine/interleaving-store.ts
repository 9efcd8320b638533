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
import { settle } from "./scripted-store.ts";

interface Step {
  readonly who: number;
  readonly go: () => void;
}

/**
 * Several servers on one store, where every step on the store waits for its turn: a test says whose step comes next,
 * and so tries out one order after the other.
 */
export class Interleaving {
  readonly #inner: Store;
  readonly #lateAnswers: boolean;
  readonly #waiting: Step[] = [];

  /** @param lateAnswers Whether what the store answers takes a step of its own to arrive. */
  constructor(inner: Store, lateAnswers = false) {
    this.#inner = inner;
    this.#lateAnswers = lateAnswers;
  }

  /** The store as one server sees it. */
  store(who: number): Store {
    const comes = (): Promise<void> =>
      new Promise((go) => {
        this.#waiting.push({ who, go });
      });
    const turn = async <T>(step: () => Promise<T>): Promise<T> => {
      await comes();
      const answer = await step();
      if (this.#lateAnswers) await comes();
      return answer;
    };
    return new TurnStore(this.#inner, turn);
  }

  /**
   * Lets steps happen, one at a time, until nobody has any. `choose` picks the server that goes next among those that
   * want to; a choice that does not want to is passed over. `pick` picks among the steps of that server.
   */
  async run(
    choose: (step: number, wanting: readonly number[]) => number,
    pick: () => number = () => 0,
  ): Promise<number> {
    for (let step = 0; ; step += 1) {
      await settle(2);
      if (this.#waiting.length === 0) return step;
      const wanting = [...new Set(this.#waiting.map(({ who }) => who))];
      const chosen = choose(step, wanting);
      const which = pick();
      const of = this.#waiting.filter(({ who }) => who === chosen);
      const next = of[which % Math.max(1, of.length)] ?? this.#waiting[0];
      if (next !== undefined) this.#waiting.splice(this.#waiting.indexOf(next), 1);
      next?.go();
    }
  }
}

type Turn = <T>(step: () => Promise<T>) => Promise<T>;

class TurnStore extends ForwardingStore {
  readonly #capabilities: StoreCapabilities;
  readonly #turn: Turn;

  constructor(inner: Store, turn: Turn) {
    super(inner);
    this.#turn = turn;
    this.#capabilities = { ...inner.capabilities, exclusive: false };
  }

  override get capabilities(): StoreCapabilities {
    return this.#capabilities;
  }

  override append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    return this.#turn(() => super.append(batch));
  }

  override read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    return this.#turn(() => super.read(row, options));
  }
}
