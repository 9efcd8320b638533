import type { Logger } from "pino";
import { Engine } from "../engine/engine.ts";
import { TapeError } from "../errors.ts";
import { reactor } from "../reactor/reactor.ts";
import { createStore, maskUrl } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import type { ServerConfig } from "./config.ts";
import { createLogger } from "./logger.ts";
import { closeMetricsPort, openMetricsPort } from "./metrics-port.ts";
import type { Sample } from "./metrics.ts";
import { OperatorGauges } from "./operator-gauges.ts";
import type { Port } from "./port.ts";
import { StoreGauges } from "./store-gauges.ts";
import { openPort, startServer, type RunningServer } from "./start-server.ts";

/** What {@link serve} may be given beside its configuration. */
export interface ServeOptions {
  /** Stops the service when it fires: on SIGTERM and SIGINT, say. */
  readonly signal?: AbortSignal | undefined;
  /** Default: as configured, to standard error. */
  readonly logger?: Logger | undefined;
  /** Of the program, for those who ask what they talk to. Default: empty. */
  readonly version?: string | undefined;
}

/** A store, an engine and a server that run together. */
export interface Service {
  /** `tape://host:port`, or `tapes://` with TLS: what a client connects to. */
  readonly url: string;
  readonly port: number;
  /**
   * Resolves when the service has stopped and every acknowledged write is where it belongs. Rejects with SHUTTING_DOWN
   * when the grace time was over first: then commits may still be under way, and the process should end.
   */
  readonly stopped: Promise<void>;
  /** Stops gracefully: not ready, streams ended, calls answered, commits drained. Idempotent; gives {@link stopped}. */
  stop(): Promise<void>;
}

/**
 * Opens the store, brings its schema up to date unless told not to, and serves it. The port is opened first, so that a
 * port in use leaves no store behind. Nothing stays open when it rejects.
 *
 * Errors: CONFIG_INVALID, STORE_URL_INVALID, STORE_NOT_USABLE, FORMAT_NEWER, MIGRATION_PENDING, DRIVER_MISSING,
 * STORE_UNAVAILABLE.
 */
export async function serve(config: ServerConfig, options: ServeOptions = {}): Promise<Service> {
  const logger = options.logger ?? createLogger(config.log);
  const gauges = new StoreGauges(logger);
  const store = await createStore(config.store, { observer: gauges });
  const { engine, server, operator } = await serveStore(store, config, logger, gauges, options.version).catch(
    async (error: unknown) => {
      await store.close();
      throw error;
    },
  );
  const url = `${config.tls === null ? "tape" : "tapes"}://${server.address}`;
  logger.info({ url, store: maskUrl(config.store), auth: config.auth }, "listening");

  const stop = async (): Promise<void> => {
    const startedAt = performance.now();
    logger.info({ graceMs: config.graceMs }, "stopping");
    // What the connections leave of the grace time is for the commits under way, which take milliseconds.
    await server.close(config.graceMs * connectionsShare);
    await within(config.graceMs - (performance.now() - startedAt), Promise.all([operator.close(), engine.close()]));
    await store.close();
    signal?.removeEventListener("abort", begin);
    logger.info("stopped");
  };
  const { signal } = options;
  let begin = (): void => {};
  const stopped = new Promise<void>((resolve) => (begin = resolve)).then(stop);
  // Whoever waits for it is told; when nobody does, a failed stop must not end the process before its time.
  stopped.catch((error: unknown) => logger.error({ err: error }, "not stopped in good order"));
  signal?.addEventListener("abort", begin);
  if (signal?.aborted === true) begin();
  return {
    url,
    port: server.port,
    stopped,
    stop() {
      begin();
      return stopped;
    },
  };
}

/** The part of the grace time that connections get. */
const connectionsShare = 0.8;

function within(ms: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new TapeError("SHUTTING_DOWN", "the grace time was over before every commit under way was answered"));
    }, ms);
    work.then(() => resolve(), reject).finally(() => clearTimeout(timer));
  });
}

async function serveStore(
  store: Store,
  config: ServerConfig,
  logger: Logger,
  gauges: StoreGauges,
  version = "",
): Promise<{ readonly engine: Engine; readonly server: RunningServer; readonly operator: OperatorGauges }> {
  const port = await openPort(config);
  let metricsPort: Port | null = null;
  try {
    metricsPort = await openMetricsPort(config.metricsListen);
    if (config.migrate) {
      const { steps } = await store.migrate({ dryRun: false });
      for (const { id, name } of steps) logger.info({ id, name }, "schema step applied");
    } else {
      await store.open();
    }
    const engine = new Engine({
      store,
      limits: { messageBytes: config.maxMessageBytes, payloadBytes: config.maxPayloadBytes },
      cacheBytes: config.cacheBytes,
      maxPending: config.maxPending,
      version,
      housekeeping: true,
      retention: config.retention,
      onRetention: (pass) => logger.info({ area: "retention", ...pass }, "retention pass"),
      onDamage: ({ reason, message }) => logger.warn({ area: "damage", reason }, message),
      reactor: reactor(({ cause, message, ...trouble }) => logger.warn({ ...trouble, err: cause }, message)),
    });
    engine.start();
    // Known from the start, so that what they left behind is counted before they call.
    const { credentials, idTokens } = config;
    for (const { tenant } of [...credentials, ...(idTokens?.rules ?? [])]) engine.watch(tenant ?? "");
    const operator = new OperatorGauges({ figures: () => engine.figures(), logger });
    const storeSamples = (): readonly Sample[] => [...gauges.samples(), ...operator.samples()];
    const server = await startServer({ engine, config, logger, port, metricsPort, storeSamples });
    operator.start();
    return { engine, server, operator };
  } catch (error) {
    await Promise.all([port.close(), closeMetricsPort(metricsPort)]);
    throw error;
  }
}
