import type { Random } from "../../../src/testing/random.ts";
import type { Answer } from "../history.ts";
import type { ValueInput } from "../models/value-model.ts";

/** Writes, reads and deletes one value, mostly at the version it saw last. Every value that it writes is another one. */
export class ValuePlayer {
  readonly #client: string;
  readonly #random: Random;
  #written = 0;
  #seen = 0;

  constructor(client: string, random: Random) {
    this.#client = client;
    this.#random = random;
  }

  next(): ValueInput {
    const random = this.#random;
    if (random.chance(0.35)) return { call: "get" };
    const requestId = `${this.#client}/${random.hex(12)}`;
    if (random.chance(0.15)) return { call: "delete", requestId };
    this.#written += 1;
    const ifVersion = random.chance(0.7) ? this.#seen : -1;
    return { call: "write", value: `${this.#client}-${this.#written}`, ifVersion, writer: this.#client, requestId };
  }

  learn(_: ValueInput, answer: Answer): void {
    const version = answer["version"];
    // What is gone is written anew with 0.
    if (answer["found"] === false || answer["deleted"] === true) this.#seen = 0;
    else if (typeof version === "number") this.#seen = version;
  }
}
