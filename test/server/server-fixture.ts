import { pino } from "pino";
import { vi } from "vitest";
import type { Clock } from "../../src/engine/clock.ts";
import { TapeError } from "../../src/errors.ts";
import type { Access } from "../../src/model/access.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import { testConfig } from "./test-config.ts";
import { startServer, type RunningServer } from "../../src/server/start-server.ts";

/** A Tape of which only the calls given exist; every other one is UNIMPLEMENTED. */
function tapeDouble(calls: Partial<Tape>): Tape {
  return new Proxy(calls as Tape, {
    get(target, name, receiver) {
      const missing = (): Promise<never> =>
        Promise.reject(new TapeError("UNIMPLEMENTED", `${String(name)} is still to come`));
      const call: unknown = Reflect.get(target, name, receiver);
      return call ?? (name === "inspect" ? tapeDouble({}) : missing);
    },
  });
}

/** A running server over a double, and what can be watched of it. */
export interface ServedDouble {
  readonly server: RunningServer;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The log, line by line. */
  readonly log: Record<string, unknown>[];
  /** Who was asked for. */
  readonly accesses: Access[];
  readonly ping: ReturnType<typeof vi.fn<() => Promise<number>>>;
}

/** Serves a double on a port of its own. Close `server` at the end. */
export async function serveDouble(
  calls: Partial<Tape>,
  config: Partial<ServerConfig> = {},
  clock?: Clock,
): Promise<ServedDouble> {
  const log: Record<string, unknown>[] = [];
  const accesses: Access[] = [];
  const ping = vi.fn<() => Promise<number>>(() => Promise.resolve(0.5));
  const server = await startServer({
    engine: {
      tape(access) {
        accesses.push(access);
        return tapeDouble(calls);
      },
      ping,
      stats: () => ({ commits: 7, cacheBytes: 1024 }),
    },
    config: { ...testConfig, ...config },
    clock,
    logger: pino(
      { level: "trace", base: null },
      { write: (line) => void log.push(JSON.parse(line) as Record<string, unknown>) },
    ),
  });
  return { server, url: `http://${server.address}`, log, accesses, ping };
}
