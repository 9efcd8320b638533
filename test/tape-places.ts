import type { Store } from "../src/store/store.ts";
import { engineHarness, tapeCases, type TapeCase, type TapeHarness } from "../src/testing/index.ts";
import { borrowedStore } from "./store-views.ts";

/** Where a journal is that several store objects open. */
export interface Place {
  readonly open: () => Promise<Store>;
  readonly remove: () => Promise<void>;
}

/** A place with its open connections. Opening one takes long, so several cases use them, each in its own partition. */
interface SharedPlace extends Place {
  readonly connections: Map<number, Promise<Store>>;
  cases: number;
}

/** How cases share places. */
interface PlaceSharing {
  readonly most?: number;
  readonly isHeavy?: (tapeCase: TapeCase) => boolean;
}

/** The rule that random walks stand under: they do more than all others. */
export const walkRule = "R2-R46";

/** Whether nothing is to be left out for the sake of time. */
const runsAll = process.env["TAPE_TEST_ALL"] === "1";

/** Every second random walk, and all else: walks are slow on an emulator. */
export const isNoOddWalk = ({ rule, name }: TapeCase): boolean =>
  runsAll || rule !== walkRule || !/[13579]\)$/.test(name);

/** How many cases of a rule a sample has one of. */
const sampleEvery = 16;

/**
 * Of each rule the first case and every sixteenth after it: for suites that put together two parts each of which passes the whole
 * suite by itself.
 */
export const isInSample: (tapeCase: TapeCase) => boolean = (() => {
  const counts = new Map<string, number>();
  const sample = new Set<TapeCase>();
  for (const tapeCase of tapeCases) {
    const before = counts.get(tapeCase.rule) ?? 0;
    counts.set(tapeCase.rule, before + 1);
    if (before % sampleEvery === 0) sample.add(tapeCase);
  }
  return (tapeCase) => runsAll || sample.has(tapeCase);
})();

/** Few enough that a case that reads the whole feed does not read the history of all others. */
const casesPerPlace = 40;

/** Hands out harnesses of {@link testTape} whose stores are in places that several cases share, one after the other. */
export class TapePlaces {
  readonly #newPlace: () => Promise<Place>;
  readonly #casesPerPlace: number;
  readonly #isHeavy: (tapeCase: TapeCase) => boolean;
  #shared: SharedPlace | undefined;

  /**
   * @param most Cases that share a place.
   * @param isHeavy Cases that begin with an empty place, because what others have left costs them much.
   */
  constructor(newPlace: () => Promise<Place>, { most = casesPerPlace, isHeavy = () => false }: PlaceSharing = {}) {
    this.#newPlace = newPlace;
    this.#casesPerPlace = most;
    this.#isHeavy = isHeavy;
  }

  /** An engine, or several, for one more case. */
  async harness(tapeCase: TapeCase): Promise<TapeHarness> {
    return engineHarness(await this.stores(tapeCase));
  }

  /** Stores for one more case: the partition it has to stay in, and what opens a connection of that number. */
  async stores(
    tapeCase: TapeCase,
  ): Promise<{ readonly partition: string; readonly openStore: (connection: number) => Promise<Store> }> {
    if (this.#isHeavy(tapeCase)) await this.discard();
    const { open, connections, cases } = await this.#forOneMoreCase();
    const taken = new Set<number>();
    return {
      partition: `case-${cases}-`,
      openStore: async (connection) => {
        // What is asked for again was closed by the case: that is a reopening, and must be a real one.
        if (taken.has(connection)) return open();
        taken.add(connection);
        const store = connections.get(connection) ?? open();
        connections.set(connection, store);
        return borrowedStore(await store);
      },
    };
  }

  /** After the last case. */
  async discard(): Promise<void> {
    if (this.#shared === undefined) return;
    for (const store of await Promise.all(this.#shared.connections.values())) await store.close();
    await this.#shared.remove();
    this.#shared = undefined;
  }

  async #forOneMoreCase(): Promise<SharedPlace> {
    if (this.#shared === undefined || this.#shared.cases === this.#casesPerPlace) {
      await this.discard();
      this.#shared = { ...(await this.#newPlace()), connections: new Map(), cases: 0 };
    }
    this.#shared.cases += 1;
    return this.#shared;
  }
}
