import { pino } from "pino";
import { afterAll, beforeAll, describe, it } from "vitest";
import { connectTape } from "../src/client/connect-tape.ts";
import { Engine } from "../src/engine/engine.ts";
import { defaultLimits } from "../src/journal/limits.ts";
import type { Access } from "../src/model/access.ts";
import type { Tape } from "../src/model/tape.ts";
import { startServer, type RunningServer } from "../src/server/start-server.ts";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import type { Store } from "../src/store/store.ts";
import { FakeClock, testTape, type TapeHarness } from "../src/testing/index.ts";
import { testConfig } from "./server/server-fixture.ts";
import { sharedStore } from "./store-views.ts";

/** A server whose engine every case replaces, with the clients that called it so far. */
class Served {
  engine: Engine | undefined;
  #server: RunningServer | undefined;
  readonly #clients = new Map<string, Tape>();

  async start(): Promise<void> {
    this.#server = await startServer({
      engine: {
        tape: (access) => this.#current().tape(access),
        ping: (signal) => this.#current().ping(signal),
        stats: () => this.#current().stats(),
      },
      config: {
        ...testConfig,
        auth: "token",
        credentials: tenants.map((tenant) => ({ token: tokenOf(tenant), tenant })),
        maxMessageBytes: defaultLimits.messageBytes,
        maxPayloadBytes: defaultLimits.payloadBytes,
        maxPending: 10_000,
        maxStreams: 10_000,
        maxBufferedBytes: 1024 ** 3,
      },
      logger: pino({ level: "silent" }),
    });
  }

  /** A client that calls as this tenant; one connection for all cases. */
  client(tenant: string | null): Tape {
    const name = tokenOf(tenant);
    const client = this.#clients.get(name) ?? connectTape(`tape://${this.#server?.address}`, { token: name });
    this.#clients.set(name, client);
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.close();
    await this.#server?.close(0);
  }

  #current(): Engine {
    if (this.engine === undefined) throw new Error("no case is running");
    return this.engine;
  }
}

const tenants = [null, "red", "blue"];
const tokenOf = (tenant: string | null): string => `token-of-${tenant ?? "all"}`;

const servers = [new Served(), new Served(), new Served()];

/** Three engines on one store, each behind a server of its own. */
async function harness(): Promise<TapeHarness> {
  const clock = new FakeClock();
  const store: Store = sharedStore(new MemoryStore());
  await store.open();
  const start = (served: Served): void => {
    served.engine = new Engine({ store, clock });
    served.engine.start();
  };
  for (const served of servers) start(served);
  const [first = new Served()] = servers;
  const tape = first.client(null);
  return {
    tape,
    clock,
    tapes: async (n) => (servers[n] ?? first).client(null),
    tapeFor: async ({ tenant }: Access) => first.client(tenant),
    reopen: async () => {
      await first.engine?.close();
      start(first);
      return tape;
    },
    close: async () => {
      for (const served of servers) await served.engine?.close();
      await store.close();
    },
  };
}

beforeAll(async () => {
  for (const served of servers) await served.start();
});
afterAll(async () => {
  for (const served of servers) await served.close();
});

testTape({ name: "grpc", open: harness, runner: { describe, it } });
