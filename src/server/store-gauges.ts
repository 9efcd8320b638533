import type { Logger } from "pino";
import type { StoreObserver } from "../store/store-observer.ts";
import type { Sample } from "./metrics.ts";

/** What a store says of itself: warnings into the log, numbers for `/metrics`. */
export class StoreGauges implements StoreObserver {
  readonly #samples = new Map<string, Sample>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** As `tape_store_<name>`. */
  readonly gauge = (name: string, help: string, value: number): void => {
    this.#samples.set(name, { name: `tape_store_${name}`, help, type: "gauge", value });
  };

  readonly warn = (message: string): void => {
    this.#logger.warn({ area: "store" }, message);
  };

  /** The latest of each. */
  samples(): readonly Sample[] {
    return [...this.#samples.values()];
  }
}
