/** Things remembered; what comes on top of them within their quiet time is not told. */
const mostRemembered = 1000;

/** Remembers what was told, so that what goes wrong again and again makes one line of a log now and then, and no flood. */
export class ToldOnce {
  readonly #now: () => number;
  readonly #quietUntil = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether this is to be told now: it has not been in its quiet time, milliseconds. */
  mayTell(what: string, quietMs: number): boolean {
    const now = this.#now();
    if (now < (this.#quietUntil.get(what) ?? -Infinity)) return false;
    if (this.#quietUntil.size >= mostRemembered) this.#forget(now);
    if (this.#quietUntil.size >= mostRemembered) return false;
    this.#quietUntil.set(what, now + quietMs);
    return true;
  }

  #forget(now: number): void {
    for (const [what, untilMs] of this.#quietUntil) if (untilMs <= now) this.#quietUntil.delete(what);
  }
}
