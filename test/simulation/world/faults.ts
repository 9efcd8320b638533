import type { Random } from "../../../src/testing/random.ts";

/** What can go wrong. Each is drawn for by itself, once an opportunity. */
export const faultKinds = [
  /** A server is gone at once, with everything that it had in memory. */
  "server-crash",
  /** A server that has crashed does not come back. */
  "server-gone",
  /** A server stands still, for longer than leases and claims last, and goes on as if nothing had been. */
  "server-pause",
  /** Somebody corrects a server's clock. */
  "clock-jump",
  /** Time goes on by much while everybody waits. */
  "long-wait",
  /** A step has to wait while many others are taken. */
  "slow-step",
  /** The answer to an append is lost: the write happens before that, later, or never. */
  "answer-lost",
  /** A write whose answer was lost does not happen (any more). */
  "write-vanishes",
  /** A write under way goes down with the server that sent it, between any two of its steps. */
  "write-dies",
  /** An index key is not removed. */
  "leftover-key",
  /** Another writer changes nothing but the row's version first. */
  "interloper",
  /** The same, right after a write whose answer was lost. */
  "overtaken",
  /** A call of the store is refused before anything happens. */
  "store-away",
  /** A server is cut off from the store for some time: all its calls are refused. */
  "store-outage",
  /** A page is shorter than it could be. */
  "short-page",
  /** A request never arrives. */
  "request-lost",
  /** The caller has given up when the request arrives. */
  "request-late",
  /** A request arrives twice. */
  "request-twice",
  /** A copy of a request arrives seconds later, when its caller has got the answer long ago. */
  "request-lingers",
  /** The answer never arrives. */
  "reply-lost",
  /** An actor dies between two of its steps. */
  "actor-death",
] as const;

/** One of {@link faultKinds}. */
export type FaultKind = (typeof faultKinds)[number];

/** How often at most, as probabilities of one opportunity; a seed takes some part of it, and leaves some kinds out. */
const highestRates: Readonly<Record<FaultKind, number>> = {
  "server-crash": 0.008,
  "server-gone": 0.5,
  "server-pause": 0.006,
  "clock-jump": 0.004,
  "long-wait": 0.006,
  "slow-step": 0.15,
  "answer-lost": 0.2,
  "write-vanishes": 0.4,
  "write-dies": 0.6,
  "leftover-key": 0.3,
  interloper: 0.05,
  overtaken: 0.5,
  "store-away": 0.06,
  "store-outage": 0.004,
  "short-page": 0.3,
  "request-lost": 0.04,
  "request-late": 0.08,
  "request-twice": 0.06,
  "request-lingers": 0.06,
  "reply-lost": 0.08,
  "actor-death": 0.04,
};

/** What a shrunk plan leaves out. */
export interface Muted {
  readonly kinds: readonly FaultKind[];
  /** Faults from this one on do not happen. */
  readonly from?: number | undefined;
  /** Numbers of single faults. */
  readonly ordinals: readonly number[];
}

/**
 * Decides what goes wrong. It draws also for what is muted, so that leaving one fault out changes nothing before it.
 */
export class Faults {
  readonly #random: Random;
  readonly #rates: ReadonlyMap<FaultKind, number>;
  readonly #muted: Muted;
  readonly #ordinals: ReadonlySet<number>;
  readonly #onFault: (kind: FaultKind, ordinal: number) => void;
  #count = 0;
  #calm = false;

  constructor(random: Random, muted: Muted, onFault: (kind: FaultKind, ordinal: number) => void) {
    this.#random = random;
    this.#muted = muted;
    this.#ordinals = new Set(muted.ordinals);
    this.#onFault = onFault;
    this.#rates = new Map(
      faultKinds.map((kind) => [kind, random.chance(0.2) ? 0 : highestRates[kind] * random.next()] as const),
    );
  }

  /** How many faults there were. */
  get count(): number {
    return this.#count;
  }

  /** From now on nothing goes wrong. */
  calmDown(): void {
    this.#calm = true;
  }

  /** Whether it happens now. */
  happens(kind: FaultKind): boolean {
    if (this.#calm || !this.#random.chance(this.#rates.get(kind) ?? 0)) return false;
    const ordinal = this.#count;
    this.#count += 1;
    const { kinds, from = Infinity } = this.#muted;
    if (ordinal >= from || kinds.includes(kind) || this.#ordinals.has(ordinal)) return false;
    this.#onFault(kind, ordinal);
    return true;
  }
}
