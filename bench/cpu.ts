import { readFileSync } from "node:fs";
import { performance, type EventLoopUtilization } from "node:perf_hooks";

/** Where the time went while something was measured. */
export interface Load {
  /** Part of the time that this process's main thread was busy, 0 to 1. */
  readonly mainThread: number;
  /** Cores that this process used on average, all threads together. */
  readonly ownCores: number;
  /** Cores that the other process used; `null` where the system does not tell. */
  readonly otherCores: number | null;
}

/** Starts a measurement; the returned function ends it. */
export function measureLoad(otherPid: number | null): () => Load {
  const start = performance.now();
  const loop: EventLoopUtilization = performance.eventLoopUtilization();
  const own = process.cpuUsage();
  const other = cpuMs(otherPid);
  return () => {
    const elapsedMs = performance.now() - start;
    const { user, system } = process.cpuUsage(own);
    const otherNow = cpuMs(otherPid);
    return {
      mainThread: performance.eventLoopUtilization(loop).utilization,
      ownCores: (user + system) / 1000 / elapsedMs,
      otherCores: other === null || otherNow === null ? null : (otherNow - other) / elapsedMs,
    };
  };
}

/** Processor time of a process so far, from Linux's /proc; its clock ticks 100 times a second. */
function cpuMs(pid: number | null): number | null {
  if (pid === null) return null;
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return null;
  }
}
