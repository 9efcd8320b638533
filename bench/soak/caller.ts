import { setTimeout as sleep } from "node:timers/promises";
import { connectTape, TapeError, type Tape } from "../../src/client/index.ts";
import type { Random } from "../../src/testing/random.ts";
import { acknowledged, type Tally } from "./tally.ts";

const attemptMs = 15_000;
/** A call that has not got through by then has hung, whatever was killed meanwhile. */
const patienceMs = 90_000;
const longestPauseMs = 500;

/** How a caller is unlike others. */
export interface CallerOptions {
  /** What the servers ask for. Default: they ask for none. */
  readonly token?: string | undefined;
  /** Between two attempts, in milliseconds. Default: 500. */
  readonly longestPauseMs?: number | undefined;
}

/** A client of several servers: what one of them does not answer is asked of the next, under the same request id. */
export class Caller {
  readonly name: string;
  readonly random: Random;
  readonly #tapes: readonly Tape[];
  readonly #tally: Tally;
  readonly #longestPauseMs: number;
  #at: number;
  #requests = 0;

  constructor(name: string, ports: readonly number[], random: Random, tally: Tally, options: CallerOptions = {}) {
    this.name = name;
    this.random = random;
    this.#tally = tally;
    this.#at = random.int(ports.length);
    this.#longestPauseMs = options.longestPauseMs ?? longestPauseMs;
    const { token } = options;
    this.#tapes = ports.map((port) =>
      connectTape(`tape://127.0.0.1:${port}`, { token, timeoutMs: attemptMs, retries: { maxAttempts: 1 } }),
    );
  }

  /** The server that answered last, or the next one to be asked. */
  get tape(): Tape {
    const tape = this.#tapes[this.#at % this.#tapes.length];
    if (tape === undefined) throw new TypeError("there is no server");
    return tape;
  }

  /** An id that no other call has. */
  newRequestId(): string {
    this.#requests += 1;
    return `${this.name}/${this.#requests}`;
  }

  switchServer(): void {
    this.#at += 1;
  }

  /** Sends until it is answered, by a result or by a refusal. */
  async call<T>(send: (tape: Tape) => Promise<T>): Promise<T> {
    const until = performance.now() + patienceMs;
    this.#tally.count("calls");
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await send(this.tape);
        this.#tally.count(acknowledged);
        return answer;
      } catch (error) {
        if (!this.#mayTryAgain(error)) {
          if (error instanceof TapeError) this.#tally.count(acknowledged);
          throw error;
        }
        if (performance.now() > until) throw error;
        this.#tally.count("attempts repeated");
        this.switchServer();
        await sleep(this.random.int(Math.min(this.#longestPauseMs, 10 * 2 ** attempt)));
      }
    }
  }

  /** Counts an error of a call or of a stream, and says whether the same may be asked again. */
  #mayTryAgain(error: unknown): boolean {
    if (!(error instanceof TapeError)) return false;
    this.#tally.count(`${error.code} seen`);
    return error.retryable || error.code === "DEADLINE_EXCEEDED";
  }

  async close(): Promise<void> {
    await Promise.all(this.#tapes.map((tape) => tape.close()));
  }
}
