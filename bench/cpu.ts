import { readdirSync, readFileSync } from "node:fs";
import { performance, type EventLoopUtilization } from "node:perf_hooks";

/** Where the time went while something was measured. */
export interface Load {
  /** Part of the time that this process's main thread was busy, 0 to 1. */
  readonly mainThread: number;
  /** Cores that this process used on average, all threads together. */
  readonly ownCores: number;
  /** Cores that the server's process used; `null` where there is none or the system does not tell. */
  readonly serverCores: number | null;
  /** The same of the database's processes, all together. */
  readonly databaseCores: number | null;
}

/** Whose time is measured beside our own; absent where there is none. */
export interface Processes {
  readonly serverPid?: number | undefined;
  /** The database server's main process, whose children count too. */
  readonly databasePid?: number | undefined;
}

/** Starts a measurement; the returned function ends it. */
export function measureLoad({ serverPid, databasePid }: Processes): () => Load {
  const start = performance.now();
  const loop: EventLoopUtilization = performance.eventLoopUtilization();
  const own = process.cpuUsage();
  const server = since(() => (serverPid === undefined ? null : processMs(serverPid)));
  const database = since(() => (databasePid === undefined ? null : familyMs(databasePid)));
  return () => {
    const elapsedMs = performance.now() - start;
    const { user, system } = process.cpuUsage(own);
    return {
      mainThread: performance.eventLoopUtilization(loop).utilization,
      ownCores: (user + system) / 1000 / elapsedMs,
      serverCores: cores(server(), elapsedMs),
      databaseCores: cores(database(), elapsedMs),
    };
  };
}

const cores = (ms: number | null, elapsedMs: number): number | null => (ms === null ? null : ms / elapsedMs);

function since(clock: () => number | null): () => number | null {
  const start = clock();
  return () => {
    const now = clock();
    return start === null || now === null ? null : now - start;
  };
}

/** The process that started this one; `undefined` where the system does not tell. */
export function parentOf(pid: number): number | undefined {
  const parent = statOf(pid)?.[fields.parent];
  return parent === undefined ? undefined : Number(parent);
}

/** Processor time of a process so far. */
function processMs(pid: number): number | null {
  const stat = statOf(pid);
  return stat === null ? null : ticks(stat, fields.user, fields.system);
}

/** Processor time of a process and its children so far, also of those that have ended. */
function familyMs(pid: number): number | null {
  const stat = statOf(pid);
  if (stat === null) return null;
  let sum = ticks(stat, fields.user, fields.system, fields.endedChildrenUser, fields.endedChildrenSystem);
  for (const name of readdirSync("/proc")) {
    const child = /^\d+$/.test(name) ? statOf(Number(name)) : null;
    if (child?.[fields.parent] === String(pid)) sum += ticks(child, fields.user, fields.system);
  }
  return sum;
}

/** Places in `/proc/<pid>/stat` behind the program's name, see proc(5). */
const fields = { parent: 1, user: 11, system: 12, endedChildrenUser: 13, endedChildrenSystem: 14 } as const;

/** Linux's clock ticks 100 times a second. */
const ticks = (stat: readonly string[], ...places: readonly number[]): number =>
  places.reduce((sum, place) => sum + Number(stat[place]) * 10, 0);

function statOf(pid: number): readonly string[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
  } catch {
    return null;
  }
}
