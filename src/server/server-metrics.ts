import type { IntervalHistogram } from "node:perf_hooks";
import type { EngineStats } from "../engine/engine.ts";
import type { CallDesk } from "./call-desk.ts";
import { renderSamples, type Sample } from "./metrics.ts";
import type { Port } from "./port.ts";

/** Where the figures of a server come from. */
export interface MetricSources {
  readonly desk: CallDesk;
  readonly port: Port;
  /** Counters of the engine, by camelCase name. */
  readonly engineStats: () => object;
  /** What the store says of itself. */
  readonly storeSamples: () => readonly Sample[];
  /** Whether the store answers, as far as is known. */
  readonly isReady: () => boolean;
  /** Nanoseconds; reset at every reading, so that each shows the time since the last. */
  readonly loopDelay: IntervalHistogram;
}

/** The text of `/metrics`. */
export function renderMetrics(sources: MetricSources): string {
  const { desk, port, engineStats, storeSamples, isReady, loopDelay } = sources;
  const memory = process.memoryUsage();
  const gauge = (name: string, help: string, value: number): Sample => ({ name, help, type: "gauge", value });
  const text = renderSamples([
    gauge("tape_ready", "Whether the store answers and the server is not stopping.", isReady() ? 1 : 0),
    gauge("tape_rpc_in_flight", "Unary calls under way.", desk.pending),
    gauge("tape_rpc_streams", "Open streams.", desk.streams),
    gauge("tape_rpc_buffered_bytes", "Bytes of requests and responses in memory.", desk.bufferedBytes),
    gauge("tape_connections", "Open connections.", port.connections),
    ...engineSamples(engineStats()),
    ...storeSamples(),
    gauge("process_resident_memory_bytes", "Resident memory.", memory.rss),
    gauge("nodejs_heap_used_bytes", "JavaScript heap in use.", memory.heapUsed),
    gauge("nodejs_external_memory_bytes", "Memory of buffers and other things outside the heap.", memory.external),
    gauge(
      "nodejs_eventloop_delay_p99_seconds",
      "Event loop delay since the last reading.",
      loopDelay.percentile(99) / 1e9,
    ),
    gauge("nodejs_eventloop_delay_max_seconds", "Event loop delay since the last reading.", loopDelay.max / 1e9),
    { name: "process_cpu_seconds_total", help: "Processor time.", type: "counter", value: cpuSeconds() },
    gauge("process_uptime_seconds", "Time since the start.", process.uptime()),
  ]);
  loopDelay.reset();
  return text + desk.ports.histogram.render();
}

/** What only ever grows; everything else is a size. */
const engineCounters: ReadonlySet<string> = new Set<keyof EngineStats>([
  "commits",
  "batches",
  "entries",
  "conflicts",
  "unknownOutcomes",
  "loads",
  "compactedRuns",
  "deletedRuns",
  "deletedTasks",
  "sweptLeftovers",
  "retentionFailures",
  "staleKeys",
  "reindexedRows",
  "housekeepingFailures",
  "tasksMade",
  "predicatesFailed",
]);

function engineSamples(stats: object): Sample[] {
  const samples: Sample[] = [];
  for (const [name, value] of Object.entries(stats)) {
    if (typeof value !== "number") continue;
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const counts = engineCounters.has(name);
    const metric = `tape_engine_${snake}${counts ? "_total" : ""}`;
    samples.push({ name: metric, help: `Engine: ${name}.`, type: counts ? "counter" : "gauge", value });
  }
  return samples;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
