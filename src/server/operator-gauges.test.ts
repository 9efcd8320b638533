import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { OperatorFigures } from "../engine/engine.ts";
import { renderSamples } from "./metrics.ts";
import { OperatorGauges } from "./operator-gauges.ts";

const quiet: OperatorFigures = {
  needs: { EFFECT_UNKNOWN: 0, RUN_STUCK: 0, OBLIGATION_STUCK: 0, RUN_RECOVERABLE: 0 },
  feedLagMs: 0,
};
const busy: OperatorFigures = {
  needs: { EFFECT_UNKNOWN: 1000, RUN_STUCK: 2, OBLIGATION_STUCK: 3, RUN_RECOVERABLE: 4 },
  feedLagMs: 1500,
};

const figures = vi.fn<() => Promise<OperatorFigures>>();
let gauges: OperatorGauges;
beforeEach(() => {
  vi.useFakeTimers();
  figures.mockReset().mockResolvedValue(quiet);
  gauges = new OperatorGauges({ figures, logger: pino({ level: "silent" }) });
});
afterEach(async () => {
  await gauges.close();
  vi.useRealTimers();
});

const shown = (): Record<string, number> =>
  Object.fromEntries(gauges.samples().map(({ name, value }) => [name, value]));

it("shows what needs an operator, measured at once and every half a minute, and not by a scrape", async () => {
  expect(gauges.samples()).toEqual([]);
  gauges.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(shown()).toEqual({
    tape_attention_unknown_effects: 0,
    tape_attention_stuck_runs: 0,
    tape_attention_stuck_obligations: 0,
    tape_recoverable_runs_overdue: 0,
    tape_feed_lag_seconds: 0,
  });
  figures.mockResolvedValue(busy);
  await vi.advanceTimersByTimeAsync(29_999);
  expect(shown()).toMatchObject({ tape_attention_unknown_effects: 0 });
  await vi.advanceTimersByTimeAsync(1);
  expect(shown()).toEqual({
    tape_attention_unknown_effects: 1000,
    tape_attention_stuck_runs: 2,
    tape_attention_stuck_obligations: 3,
    tape_recoverable_runs_overdue: 4,
    tape_feed_lag_seconds: 1.5,
  });
  expect(figures).toHaveBeenCalledTimes(2);
  expect(renderSamples(gauges.samples())).toMatch(
    /^# HELP tape_attention_unknown_effects .* at most 1,000 are counted/,
  );
});

it("shows nothing old while the store cannot be asked, and goes on afterwards", async () => {
  gauges.start();
  await vi.advanceTimersByTimeAsync(0);
  figures.mockRejectedValueOnce(new Error("away"));
  await vi.advanceTimersByTimeAsync(30_000);
  expect(gauges.samples()).toEqual([]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(gauges.samples()).toHaveLength(5);
});

it("stops when it is closed", async () => {
  gauges.start();
  await vi.advanceTimersByTimeAsync(0);
  await gauges.close();
  await vi.advanceTimersByTimeAsync(300_000);
  expect(figures).toHaveBeenCalledTimes(1);
});
