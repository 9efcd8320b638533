import type { Logger } from "pino";
import type { OperatorFigures } from "../engine/engine.ts";
import type { Sample } from "./metrics.ts";

/** How often the figures are measured, in milliseconds: often enough for an alert, seldom enough to cost nothing. */
const everyMs = 30_000;

/** What {@link OperatorGauges} measures, and whom it tells that it cannot. */
export interface OperatorGaugesOptions {
  readonly figures: () => Promise<OperatorFigures>;
  readonly logger: Logger;
}

/**
 * What needs an operator, as numbers for `/metrics`. Measured in the background, never by a scrape; while the store
 * cannot be asked there are none, rather than old ones.
 */
export class OperatorGauges {
  readonly #options: OperatorGaugesOptions;
  #samples: readonly Sample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #measuring: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: OperatorGaugesOptions) {
    this.#options = options;
  }

  /** Measures now, and then again and again. */
  start(): void {
    this.#measuring = this.measure();
  }

  /** Measures once, and plans the next time. Never rejects. */
  async measure(): Promise<void> {
    const { figures, logger } = this.#options;
    try {
      this.#samples = samplesOf(await figures());
    } catch (error) {
      this.#samples = [];
      if (!this.#closed) logger.debug({ err: error }, "what needs an operator could not be measured");
    }
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => this.start(), everyMs).unref();
  }

  /** The latest numbers. */
  samples(): readonly Sample[] {
    return this.#samples;
  }

  /** Ends the measuring and waits for the one under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#measuring;
  }
}

const upTo = "at most 1,000 are counted, over the tenants that have called";

function samplesOf({ needs, feedLagMs }: OperatorFigures): readonly Sample[] {
  const gauge = (name: string, help: string, value: number): Sample => ({ name, help, type: "gauge", value });
  return [
    gauge(
      "tape_attention_unknown_effects",
      `Effects that may have happened and wait for a human; ${upTo}.`,
      needs.EFFECT_UNKNOWN,
    ),
    gauge("tape_attention_stuck_runs", `Runs that are STUCK; ${upTo}.`, needs.RUN_STUCK),
    gauge("tape_attention_stuck_obligations", `Obligations that are STUCK; ${upTo}.`, needs.OBLIGATION_STUCK),
    gauge(
      "tape_recoverable_runs_overdue",
      `Runs that nobody has recovered for a minute; ${upTo}.`,
      needs.RUN_RECOVERABLE,
    ),
    gauge(
      "tape_feed_lag_seconds",
      "Age of the oldest commit of this server that the feed does not give yet; 0 when it gives all.",
      feedLagMs / 1000,
    ),
  ];
}
