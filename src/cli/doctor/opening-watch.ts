import type { StoreObserver } from "../../store/store-observer.ts";
import { type Finding, ok, warn } from "./finding.ts";

const clockGauge = /_clock_offset_ms$/;

/** Hears what a store says while it is opened, and makes findings of it. */
export class OpeningWatch implements StoreObserver {
  readonly #warnings: string[] = [];
  #clockOffMs: number | undefined;

  readonly gauge = (name: string, _help: string, value: number): void => {
    if (clockGauge.test(name)) this.#clockOffMs = value;
  };

  readonly warn = (message: string): void => {
    this.#warnings.push(message);
  };

  *findings(): Iterable<Finding> {
    // Further off than it may be, the store would not have opened.
    if (this.#clockOffMs !== undefined)
      yield ok(
        "store.clock",
        `this machine's clock is ${this.#clockOffMs} ms ahead of the store's, within what it allows`,
      );
    if (this.#warnings.length === 0) yield ok("store.warnings", "none");
    for (const message of this.#warnings) yield warn("store.warnings", message, ["# see docs/stores"]);
  }
}
