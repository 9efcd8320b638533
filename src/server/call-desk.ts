import type { Logger } from "pino";
import type { Clock } from "../engine/clock.ts";
import type { IdSource } from "../engine/id-source.ts";
import { TapeError } from "../errors.ts";
import type { Access } from "../model/access.ts";
import type { Tape } from "../model/tape.ts";
import type { Authenticator } from "./authenticator.ts";
import type { CallHistogram } from "./metrics.ts";
import { SendBudget } from "./send-budget.ts";

/** How much a server takes on. */
interface CallLimits {
  /** Bytes of one message (R7). */
  readonly maxMessageBytes: number;
  /** Unary calls under way, and likewise open streams. */
  readonly maxPending: number;
  /** Bytes of requests and responses held at once. */
  readonly maxBufferedBytes: number;
}

/** What the calls of a server need. */
export interface CallPorts {
  readonly tapeOf: (access: Access) => Tape;
  readonly authenticate: Authenticator;
  readonly limits: CallLimits;
  readonly histogram: CallHistogram;
  readonly log: Logger;
  readonly ids: IdSource;
  /** Says when credentials expire. */
  readonly clock: Clock;
}

/** What the calls of a server share: the ports, and the counters by which too much work is refused early. */
export class CallDesk {
  readonly ports: CallPorts;
  /** Half of the bytes in memory, so that those who do not take what they asked for leave something for all others. */
  readonly sending: SendBudget;
  #pending = 0;
  #streams = 0;
  #bufferedBytes = 0;
  #closed = false;

  constructor(ports: CallPorts) {
    this.ports = ports;
    this.sending = new SendBudget(ports.limits.maxBufferedBytes / 2);
  }

  /** Unary calls that the engine has and has not answered. */
  get pending(): number {
    return this.#pending;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams;
  }

  /** Bytes of requests and responses that wait for an engine or a network. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** Whether there is nothing to wait for. */
  get idle(): boolean {
    return this.#pending === 0 && this.#streams === 0 && this.#bufferedBytes === 0;
  }

  /** Refuses every new call from now on. */
  close(): void {
    this.#closed = true;
  }

  /** Throws SHUTTING_DOWN, or OVERLOADED when one more call of this kind would be too many. */
  check(kind: "unary" | "server_streaming"): void {
    if (this.#closed) throw shuttingDown();
    const { maxPending, maxBufferedBytes } = this.ports.limits;
    // Each kind by itself: streams that somebody holds open must not stop everybody's calls.
    const [underWay, what] = kind === "unary" ? [this.#pending, "calls"] : [this.#streams, "streams"];
    if (underWay >= maxPending) throw overloaded(`${maxPending} ${what} are under way`, "TAPE_MAX_PENDING");
    if (this.#bufferedBytes >= maxBufferedBytes) {
      throw overloaded(`${maxBufferedBytes} bytes of calls are in memory`, "TAPE_MAX_BUFFERED_BYTES");
    }
  }

  /** Counts one unary call until the returned promise settles. */
  async count<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    try {
      return await work();
    } finally {
      this.#pending--;
    }
  }

  /** Counts one stream while it is read. It never ends as if complete when it was the signal that ended it (R14). */
  async *countStream<T>(items: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    this.#streams++;
    try {
      yield* items;
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      this.#streams--;
    }
    if (signal.aborted) throw signal.reason;
  }

  /** Takes note of bytes in memory; give them back with a negative count. */
  hold(bytes: number): void {
    this.#bufferedBytes += bytes;
  }
}

/** What calls are told while the server stops. */
export function shuttingDown(): TapeError {
  return new TapeError("SHUTTING_DOWN", "this server is stopping: try again, elsewhere or later");
}

function overloaded(fact: string, setting: string): TapeError {
  return new TapeError("OVERLOADED", `this server is at its limit (${fact}): try again later`, { ids: { setting } });
}
