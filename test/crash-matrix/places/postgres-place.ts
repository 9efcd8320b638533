import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { makePlace } from "../../../bench/postgres-place.ts";
import { type PostgresServer, startPostgres } from "../../postgres/postgres-server.ts";
import type { Place } from "./place.ts";

const commitUs = 3000;

/** A schema on somebody's server, which is not ours to kill. */
export async function foreignPostgres(url: string): Promise<Place> {
  const made = await makePlace(url, `tape_crash_${process.pid}`);
  return {
    title: "PostgreSQL, not ours to kill",
    storeUrl: made.storeUrl,
    env: {},
    commitUs,
    together: 1,
    outages: [],
    note: "the database of that URL is somebody's: only the server of Tape was killed",
    remove: () => made.drop(),
  };
}

/** A PostgreSQL of our own, durable, in a temporary folder. */
export async function ownPostgres(): Promise<Place> {
  const server = await startPostgres({
    settings: { fsync: "on", full_page_writes: "on", shared_buffers: "64MB", max_wal_size: "1GB" },
  });
  const made = await makePlace(server.url(), "tape_crash");
  return {
    title: `PostgreSQL ${server.version}`,
    storeUrl: made.storeUrl,
    env: {},
    commitUs,
    together: 1,
    outages: [
      { name: "the database, all its processes at once", strike: () => killAll(server) },
      { name: "the database, one backend", strike: () => killBackend(server) },
    ],
    remove: () => server.stop(),
  };
}

/** SIGKILL of the postmaster and all its children in one go; up again on the same data. */
async function killAll(server: PostgresServer): Promise<void> {
  const { pid } = server;
  const children = pid === undefined ? [] : childrenOf(pid);
  const gone = server.kill();
  for (const child of children) killIfThere(child.pid);
  await gone;
  await server.start();
}

/** SIGKILL of one backend that serves a client: the postmaster ends all others, and recovers from the log. */
async function killBackend(server: PostgresServer): Promise<void> {
  const { pid } = server;
  if (pid === undefined) throw new TypeError("the database does not run");
  const before = childrenOf(pid);
  // `postgres: <user> <database> <client> <state>`
  const backend = before.find(({ title }) => title.includes("127.0.0.1"));
  if (backend === undefined) throw new TypeError("the server has no connection that could be killed");
  killIfThere(backend.pid);
  const others = new Set(before.map((child) => child.pid));
  const until = performance.now() + patienceMs;
  // All of them are replaced: the last is the one that says that it is ready.
  while (childrenOf(pid).some((child) => others.has(child.pid)) || !childrenOf(pid).some(isReady)) {
    if (performance.now() > until) throw new TypeError("the database did not recover");
    await sleep(pauseMs);
  }
}

const patienceMs = 30_000;
const pauseMs = 10;

interface Process {
  readonly pid: number;
  readonly title: string;
}

/** It is started when recovery is over. */
const isReady = ({ title }: Process): boolean => title.includes("logical replication launcher");

/** Linux tells in `/proc` who is whose child. */
function childrenOf(parent: number): readonly Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/stat`, "utf8");
        const [, ppid] = status.slice(status.lastIndexOf(")") + 2).split(" ");
        if (Number(ppid) !== parent) return [];
        return [{ pid: Number(name), title: readFileSync(`/proc/${name}/cmdline`, "utf8") }];
      } catch {
        return [];
      }
    });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has gone by itself.
  }
}
