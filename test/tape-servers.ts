import { pino } from "pino";
import { connectTape } from "../src/client/connect-tape.ts";
import { Engine } from "../src/engine/engine.ts";
import { defaultLimits } from "../src/journal/limits.ts";
import type { Access } from "../src/model/access.ts";
import type { Tape } from "../src/model/tape.ts";
import { reactor } from "../src/reactor/reactor.ts";
import { startServer, type RunningServer } from "../src/server/start-server.ts";
import type { Store } from "../src/store/store.ts";
import { FakeClock, type TapeHarness } from "../src/testing/index.ts";
import { canary } from "./secrets.ts";
import { testConfig } from "./server/test-config.ts";

/** A server whose engine every case replaces, with the clients that called it so far. */
class Served {
  engine: Engine | undefined;
  partition = "";
  #server: RunningServer | undefined;
  readonly #clients = new Map<string, Tape>();

  async start(): Promise<void> {
    this.#server = await startServer({
      engine: {
        tape: (access) => this.#current().tape({ ...access, partition: `${this.partition}${access.partition}` }),
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
const tokenOf = (tenant: string | null): string => canary(`token-${tenant ?? "all"}`);

/** What a case's engines work on. */
export interface ServedStores {
  /** Open; 0 for the first server's engine, also when that is started again. */
  readonly openStore: (connection: number) => Promise<Store>;
  /** Starts every tenant's partition, so that several cases can use one store. Default: none. */
  readonly partition?: string;
  /** After the engines were closed. */
  readonly close: () => Promise<void>;
}

/** Three servers, each with an engine and a store of its own, for {@link testTape} over gRPC. */
export class TapeServers {
  readonly #servers = [new Served(), new Served(), new Served()] as const;

  async start(): Promise<void> {
    for (const served of this.#servers) await served.start();
  }

  async close(): Promise<void> {
    for (const served of this.#servers) await served.close();
  }

  /** For one more case. */
  async harness({ openStore, partition = "", close }: ServedStores): Promise<TapeHarness> {
    const clock = new FakeClock();
    const start = async (served: Served): Promise<void> => {
      served.partition = partition;
      served.engine = new Engine({
        store: await openStore(this.#servers.indexOf(served)),
        clock,
        reactor: reactor(),
      });
      served.engine.start();
    };
    for (const served of this.#servers) await start(served);
    const [first] = this.#servers;
    const tape = first.client(null);
    return {
      tape,
      clock,
      tapes: async (n) => (this.#servers[n] ?? first).client(null),
      tapeFor: async ({ tenant }: Access) => first.client(tenant),
      reopen: async () => {
        await first.engine?.close();
        await start(first);
        return tape;
      },
      close: async () => {
        for (const served of this.#servers) await served.engine?.close();
        await close();
      },
    };
  }
}
