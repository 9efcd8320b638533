import { TapeError } from "../errors.ts";
import { backoffMs } from "./backoff.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { endOf } from "./transport.ts";

// One connection carries all calls of a process; more are opened only where a server limits the streams of one.
const maxConnections = 8;
const reconnect = { baseDelayMs: 50, maxDelayMs: 2_000 };

/** What the connections of a pool need to know. */
export type PoolOptions = Omit<ConnectionOptions, "onChange">;

/** Finds a connection for a call, makes one when there is none, and paces the attempts to make one. */
export class ConnectionPool {
  readonly #options: ConnectionOptions;
  readonly #waiting = new Set<() => void>();
  #connections: Connection[] = [];
  /** Connections in a row that never came about. */
  #failures = 0;
  #paused = false;
  #stopPause: () => void = () => undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = { ...options, onChange: () => this.#tidy() };
  }

  /** A connection with room, or `undefined` when one must be waited for. Throws SHUTTING_DOWN when closed. */
  take(): Connection | undefined {
    if (this.#closed) throw closedError();
    for (const connection of this.#connections) if (connection.open && connection.roomy) return connection;
    if (this.#paused || this.#connections.length >= maxConnections) return undefined;
    const connection = new Connection(this.#options);
    this.#connections.push(connection);
    return connection;
  }

  /** Resolves as soon as asking again is worth it; rejects with the reason of the signal. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(settle);
        signal.removeEventListener("abort", settle);
        if (signal.aborted) reject(endOf(signal));
        else resolve();
      };
      this.#waiting.add(settle);
      signal.addEventListener("abort", settle);
      if (signal.aborted) settle();
    });
  }

  close(): void {
    this.#closed = true;
    this.#stopPause();
    for (const connection of this.#connections) connection.destroy();
    this.#wake();
  }

  #tidy(): void {
    if (!this.#connections.every((connection) => connection.open)) {
      const left = this.#connections.filter((connection) => !connection.open);
      this.#connections = this.#connections.filter((connection) => connection.open);
      // Calls are retried by themselves; without this pause a crowd of them would each try to connect.
      if (left.some((connection) => connection.greeted)) this.#failures = 0;
      else this.#pause();
    }
    this.#wake();
  }

  #pause(): void {
    this.#failures += 1;
    this.#paused = true;
    const { timers } = this.#options;
    this.#stopPause = timers.after(backoffMs(this.#failures, reconnect, timers.random()), () => {
      this.#paused = false;
      this.#wake();
    });
  }

  #wake(): void {
    for (const settle of this.#waiting) settle();
  }
}

function closedError(): TapeError {
  return new TapeError("SHUTTING_DOWN", "The client is closed.");
}
