import { pino } from "pino";
import { expect, it } from "vitest";
import { renderSamples } from "./metrics.ts";
import { StoreGauges } from "./store-gauges.ts";

it("shows the latest of each number in /metrics, and warnings in the log", () => {
  const log: string[] = [];
  const gauges = new StoreGauges(pino({ base: null, timestamp: false }, { write: (line) => void log.push(line) }));
  gauges.gauge("feed_held_seconds", "How long.", 0);
  gauges.gauge("feed_held_seconds", "How long.", 31.5);
  gauges.warn("the feed has stood still for 31 s");
  expect(renderSamples(gauges.samples())).toBe(
    "# HELP tape_store_feed_held_seconds How long.\n# TYPE tape_store_feed_held_seconds gauge\ntape_store_feed_held_seconds 31.5\n",
  );
  expect(log).toEqual(['{"level":40,"area":"store","msg":"the feed has stood still for 31 s"}\n']);
});
