interface Piece {
  readonly bytes: number;
  readonly since: number;
  readonly cut: () => void;
}

/** Pieces that are smaller than what a socket buffers are not worth counting. */
const smallBytes = 16 * 1024;
/** Whoever has taken nothing for so long has to go when others need the room. A network's round trip is less. */
const patienceMs = { whenOver: 100, whenWanted: 1000 };

/**
 * Bytes of answers that are written and not taken yet, of all connections. Streams wait for room before they make the
 * next piece, so that a thousand readers of one large value do not have it in memory a thousand times; and those who
 * have left their piece lying longest are cut off for it.
 */
export class SendBudget {
  readonly #maxBytes: number;
  // In the order of their age.
  readonly #pieces = new Set<Piece>();
  #bytes = 0;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #waking: NodeJS.Immediate | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether the next large piece has to wait. */
  get full(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Resolves when there is room; rejects with the reason of the signal. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.full) {
      await new Promise<void>((resolve) => {
        const go = (): void => {
          signal.removeEventListener("abort", go);
          this.#waiting.delete(go);
          resolve();
        };
        this.#waiting.add(go);
        signal.addEventListener("abort", go);
        if (signal.aborted) go();
        if (this.#timer === undefined) this.#lookLater();
      });
      signal.throwIfAborted();
    }
  }

  /** Takes note of a piece that was written; gives back what to call when it is taken, once or more often. */
  take(bytes: number, cut: () => void): () => void {
    if (bytes < smallBytes) return ignore;
    const piece: Piece = { bytes, since: performance.now(), cut };
    this.#pieces.add(piece);
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) this.#cutOff(patienceMs.whenOver);
    return () => this.#drop(piece);
  }

  #cutOff(olderThanMs: number): void {
    const now = performance.now();
    for (const piece of this.#pieces) {
      if (!this.full || now - piece.since < olderThanMs) return;
      this.#drop(piece);
      piece.cut();
    }
  }

  #drop(piece: Piece): void {
    if (!this.#pieces.delete(piece)) return;
    this.#bytes -= piece.bytes;
    this.#wake();
  }

  /** One after the other, so that each sees what the one before has taken. */
  #wake(): void {
    if (this.full || this.#waiting.size === 0) return;
    if (this.#waking !== undefined) return;
    this.#waking = setImmediate(() => {
      this.#waking = undefined;
      const [first] = this.#waiting;
      if (!this.full) first?.();
      this.#wake();
    });
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiting.size === 0) return;
      this.#cutOff(patienceMs.whenWanted);
      this.#lookLater();
    }, patienceMs.whenWanted / 4).unref();
  }
}

function ignore(): void {}
