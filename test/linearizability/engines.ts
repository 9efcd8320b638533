import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Tape } from "../../src/model/tape.ts";
import { MemoryData } from "../../src/store/memory/memory-data.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import type { Append, AppendOutcome, CallContext, ReadOptions, RowId, RowSlice, Store } from "../../src/store/store.ts";
import { FakeClock, FaultyStore, type Random } from "../../src/testing/index.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";
import { Machine } from "./machine.ts";
import type { World } from "./round.ts";

/** How a world in one process is made. */
export interface EnginesOptions {
  readonly random: Random;
  readonly engines: number;
  readonly machines: number;
  /** Lets the store fail, engines die and machines be cut off. */
  readonly nemesis: boolean;
  /** What callers get of an engine. Default: its own tape. */
  readonly wrapTape?: (tape: Tape) => Tape;
  /** What an engine gets of its connection to the store. Default: that. */
  readonly wrapStore?: (store: Store) => Store;
}

/** Milliseconds that pass at once, and turns of the event loop between that. */
const longestTickMs = 120;
const turnsOfTick = 3;
const mostTurns = 12;

/** Several engines on one store in this process, on a clock that runs by itself and much faster than ours. */
export class Engines implements AsyncDisposable {
  readonly world: World;
  /** What went wrong on purpose, and how often. */
  readonly faults: Map<string, number> = new Map();
  readonly #data = new MemoryData();
  readonly #clock = new FakeClock();
  readonly #options: EnginesOptions;
  /** Of the engines that run. */
  readonly #tapes: Tape[] = [];
  readonly #all: { readonly engine: Engine; readonly store: Store }[] = [];
  #isOver = false;
  #life: Promise<void> = Promise.resolve();

  private constructor(options: EnginesOptions) {
    this.#options = options;
    const tapes = Array.from({ length: options.engines }, (_, n) => () => this.#tape(n));
    this.world = {
      machines: Array.from({ length: options.machines }, (_, n) => new Machine(tapes, n)),
      now: () => this.#clock.now(),
      slackMs: 0,
      think: (longestMs, random) => turns(1 + random.int(Math.ceil(longestMs / 10))),
    };
  }

  static async open(options: EnginesOptions): Promise<Engines> {
    const engines = new Engines(options);
    for (let n = 0; n < options.engines; n += 1) await engines.#start(n);
    engines.#life = engines.#live(options.random.fork());
    return engines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#life;
    // What an engine waits for may be the clock.
    const closing = new AbortController();
    const closed = Promise.all(this.#all.map(({ engine }) => engine.close())).finally(() => closing.abort());
    while (!closing.signal.aborted) await this.#clock.advance(longestTickMs);
    await closed;
    for (const { store } of this.#all) await store.close();
  }

  #tape(n: number): Tape {
    const tape = this.#tapes[n];
    if (tape === undefined) throw new RangeError(`there is no engine ${n}`);
    return tape;
  }

  /** An engine with a cold cache. The one before it may still write what it has begun: a server that was thought dead. */
  async #start(n: number): Promise<void> {
    const { random, nemesis, wrapTape = (tape) => tape, wrapStore = (store) => store } = this.#options;
    const memory = new SlowStore(new MemoryStore(this.#data), random.fork());
    const rates = { "unknown-later": 0.01, unavailable: 0.02, interloper: 0.02 };
    const store = wrapStore(nemesis ? new FaultyStore(memory, { random: random.fork(), rates }) : memory);
    await memory.open();
    const engine = new Engine({ store, clock: this.#clock });
    engine.start();
    this.#tapes[n] = wrapTape(engine.tape(localAccess));
    this.#all.push({ engine, store });
  }

  async #live(random: Random): Promise<void> {
    while (!this.#isOver) {
      await turns(turnsOfTick);
      await this.#clock.advance(random.int(longestTickMs));
      if (!this.#options.nemesis) continue;
      if (random.chance(0.004)) await this.#kill(random);
      if (random.chance(0.01)) this.#cut(random.pick(this.world.machines));
    }
  }

  async #kill(random: Random): Promise<void> {
    const n = random.int(this.#options.engines);
    for (const machine of this.world.machines) if (machine.server === n) machine.cut();
    await this.#start(n);
    this.#count("engines replaced");
  }

  #cut(machine: Machine): void {
    machine.cut();
    this.#count("machines cut off");
  }

  #count(what: string): void {
    this.faults.set(what, (this.faults.get(what) ?? 0) + 1);
  }
}

/** A store whose every operation takes a while, now shorter and now longer. */
class SlowStore extends ForwardingStore {
  readonly #random: Random;

  constructor(inner: Store, random: Random) {
    super(inner);
    this.#random = random;
  }

  override async read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    await this.#wait();
    const slice = await super.read(row, options);
    await this.#wait();
    return slice;
  }

  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    await this.#wait();
    const outcomes = await super.appendUntracked(batch, options);
    await this.#wait();
    return outcomes;
  }

  #wait(): Promise<void> {
    return turns(this.#random.int(mostTurns));
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
