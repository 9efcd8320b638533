import type { WakeBroadcast } from "./wake-broadcast.ts";

/** How often other servers' commits are looked for while somebody listens, milliseconds. */
export const pollEveryMs = 100;

/** Notices commits of other servers, for stores whose database tells nobody. Looks only while somebody listens. */
export class ChangePoll {
  readonly #wake: WakeBroadcast;
  readonly #hasChanged: () => Promise<boolean>;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  /** @param hasChanged Whether something was committed since it was asked last. */
  constructor(wake: WakeBroadcast, hasChanged: () => Promise<boolean>) {
    this.#wake = wake;
    this.#hasChanged = hasChanged;
  }

  /** Looks from now on, as long as somebody listens. */
  start(): void {
    if (this.#timer !== undefined || this.#looking !== undefined || this.#stopped) return;
    this.#begin();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #begin(): void {
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#stopped || !this.#wake.isHeard) return;
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#wake.isHeard) this.#begin();
      }, pollEveryMs).unref();
    });
  }

  async #look(): Promise<void> {
    try {
      if (await this.#hasChanged()) this.#wake.notify();
    } catch {
      // Whoever reads is told what is wrong with the database; whoever listens, when it is back.
    }
  }
}
