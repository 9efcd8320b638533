import type { Client } from "pg";

const firstPauseMs = 50;
const longestPauseMs = 2000;

interface Failure {
  readonly error: unknown;
}

/**
 * Spares a server that cannot be reached: after a failed attempt to connect nobody tries for a while, longer each time,
 * then one does, and only when that one has succeeded do all others.
 */
export class ReconnectGate {
  readonly #now: () => number;
  #failure: Failure | undefined;
  #failures = 0;
  #closedUntil = 0;
  #isProbing = false;

  /** @param now Milliseconds that only rise. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Why nobody may connect now: the last attempt's error. */
  get refusal(): Failure | undefined {
    return this.#isProbing || this.#now() < this.#closedUntil ? this.#failure : undefined;
  }

  /** Makes an attempt, if one may be made now. Errors: those of the attempt, this one or the last. */
  async pass<T>(attempt: () => Promise<T>): Promise<T> {
    const { refusal } = this;
    if (refusal !== undefined) throw refusal.error;
    const isProbe = this.#failure !== undefined;
    if (isProbe) this.#isProbing = true;
    try {
      const result = await attempt();
      this.#failure = undefined;
      this.#failures = 0;
      return result;
    } catch (error) {
      this.#close(error);
      throw error;
    } finally {
      if (isProbe) this.#isProbing = false;
    }
  }

  #close(error: unknown): void {
    const now = this.#now();
    // Attempts that began together say the same thing: it counts once.
    if (now < this.#closedUntil) return;
    this.#failure = { error };
    this.#closedUntil = now + Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures);
    this.#failures += 1;
  }
}

type Connected = ((error: Error) => void) | ((error: null, client: Client) => void);

/**
 * Clients for a pool that connect through the gate. It stands here and not before the pool, because connections that are
 * open go on being used, and because whoever waits for the pool would connect again as soon as another has failed.
 */
export const gatedClient = (Base: typeof Client, gate: ReconnectGate): typeof Client =>
  class extends Base {
    override connect(): Promise<Client>;
    override connect(connected: Connected): void;
    override connect(connected?: Connected): Promise<Client> | void {
      // The pool listens only to those that nobody uses. What is lost at work fails its statement, and must not end the
      // process as well.
      this.on("error", () => undefined);
      const connecting = gate.pass(() => super.connect());
      if (connected === undefined) return connecting;
      const tell = connected as (error?: unknown) => void;
      void connecting.then(() => tell(), tell);
    }
  };
