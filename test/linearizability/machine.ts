import { setMaxListeners } from "node:events";
import type { Tape } from "../../src/model/tape.ts";

/** Where clients run: one connection to one of several servers. All its clients are cut off together. */
export class Machine {
  readonly #tapes: readonly (() => Tape)[];
  #at: number;
  #connection = newConnection();

  /** @param tapes How to call each server, the one that it calls first by its number. */
  constructor(tapes: readonly (() => Tape)[], first: number) {
    this.#tapes = tapes;
    this.#at = first;
  }

  /** The server that it calls. */
  get server(): number {
    return this.#at % this.#tapes.length;
  }

  get tape(): Tape {
    const tape = this.#tapes[this.server];
    if (tape === undefined) throw new RangeError("a machine needs a server");
    return tape();
  }

  /** Aborted when it is cut off. */
  get signal(): AbortSignal {
    return this.#connection.signal;
  }

  /** A call to that server was lost: everybody goes on at the next one. */
  leave(server: number): void {
    if (this.server === server) this.#at += 1;
  }

  /** Loses every call under way, whatever becomes of it, and goes on at the next server. */
  cut(): void {
    const { server } = this;
    this.#connection.abort();
    this.#connection = newConnection();
    this.leave(server);
  }
}

function newConnection(): AbortController {
  const connection = new AbortController();
  setMaxListeners(0, connection.signal);
  return connection;
}
