import { pino } from "pino";
import type { Clock } from "../../src/engine/clock.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { ServerConfig } from "../../src/server/config.ts";
import { type RunningServer, startServer } from "../../src/server/start-server.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import type { Store } from "../../src/store/store.ts";
import { testConfig } from "../server/test-config.ts";

/** A real server with a real engine over a store in memory, which outlives both: it can be stopped and started again. */
export class RealServer implements AsyncDisposable {
  readonly #store: Store;
  readonly #config: ServerConfig;
  readonly #clock: Clock | undefined;
  #engine: Engine | undefined;
  #server: RunningServer | undefined;
  #port = 0;

  private constructor(store: Store, config: Partial<ServerConfig>, clock: Clock | undefined) {
    this.#store = store;
    this.#clock = clock;
    this.#config = {
      ...testConfig,
      maxMessageBytes: 16 * 1024 ** 2,
      maxPayloadBytes: 8 * 1024 ** 2,
      maxBufferedBytes: 128 * 1024 ** 2,
      maxConnections: 1000,
      ...config,
    };
  }

  /** A server that has been started; `clock` says when credentials expire. */
  static async open(config: Partial<ServerConfig> = {}, clock?: Clock): Promise<RealServer> {
    const store = new MemoryStore();
    await store.migrate({ dryRun: false });
    const server = new RealServer(store, config, clock);
    await server.start();
    return server;
  }

  get url(): string {
    return `${this.#config.tls === null ? "tape" : "tapes"}://127.0.0.1:${this.#port}`;
  }

  /** Starts engine and server, on the port that the server had before. */
  async start(): Promise<void> {
    this.#engine = new Engine({ store: this.#store });
    this.#engine.start();
    const listen = { host: "127.0.0.1", port: this.#port };
    const logger = pino({ level: "silent" });
    const config = { ...this.#config, listen };
    this.#server = await startServer({ engine: this.#engine, config, logger, clock: this.#clock });
    this.#port = this.#server.port;
  }

  /** Ends the server as SIGTERM does; the store stays. */
  async stop(): Promise<void> {
    await this.#server?.close();
    await this.#engine?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#store.close();
  }
}
