/** What went on, for the closing table, and everything that must not have happened. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #violations: string[] = [];
  readonly #waiting: { readonly at: number; readonly wake: () => void }[] = [];
  readonly #onViolation: (violation: string) => void;

  /** @param onViolation Told of each as soon as it is found. */
  constructor(onViolation: (violation: string) => void = () => undefined) {
    this.#onViolation = onViolation;
  }

  count(what: string, by = 1): void {
    const now = this.counted(what) + by;
    this.#counts.set(what, now);
    if (what !== acknowledged) return;
    for (const { at, wake } of this.#waiting) if (now >= at) wake();
  }

  counted(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Resolves once that many calls have been acknowledged since the beginning. */
  async whenAcknowledged(at: number): Promise<void> {
    if (this.counted(acknowledged) >= at) return;
    await new Promise<void>((wake) => this.#waiting.push({ at, wake }));
  }

  /** @param kind Of what: `lost`, `duplicated` or another word. */
  violation(kind: string, what: string): void {
    this.count(kind);
    const violation = `${kind}: ${what}`;
    this.#violations.push(violation);
    this.#onViolation(violation);
  }

  get violations(): readonly string[] {
    return this.#violations;
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}

/** The count of calls that were answered, also by a refusal. */
export const acknowledged = "calls acknowledged";
