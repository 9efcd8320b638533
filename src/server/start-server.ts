import { setMaxListeners } from "node:events";
import { createServer as createHttp1Server, type Server as Http1Server, type ServerResponse } from "node:http";
import { constants, createServer as createHttp2Server, type Http2Server } from "node:http2";
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { ConnectRouter } from "@connectrpc/connect";
import type { Logger } from "pino";
import { systemClock, type Clock } from "../engine/clock.ts";
import { randomIds } from "../engine/id-source.ts";
import type { Access } from "../model/access.ts";
import type { Tape } from "../model/tape.ts";
import { admitEveryone, admitTokens, type Authenticator } from "./authenticator.ts";
import { CallDesk, shuttingDown } from "./call-desk.ts";
import type { ServerConfig } from "./config.ts";
import { formatAddress, isLoopback } from "./config-values.ts";
import { connectHandler, type NodeRequest, type NodeResponse } from "./connect-path.ts";
import { routeCalls } from "./connect-routes.ts";
import { serveGrpc } from "./grpc-path.ts";
import { routeHealth } from "./health-routes.ts";
import { admitIdTokens } from "./id-token/id-token-gate.ts";
import { CallHistogram, type Sample } from "./metrics.ts";
import { Port } from "./port.ts";
import { closeMetricsPort, openMetricsPort, serveMetrics } from "./metrics-port.ts";
import { serveProbe, type ProbeOptions } from "./probe-routes.ts";
import { Readiness } from "./readiness.ts";
import { routeReflection } from "./reflection-routes.ts";
import { SessionWatch } from "./session-watch.ts";
import { renderMetrics } from "./server-metrics.ts";
import { StreamWatch } from "./stream-watch.ts";
import { readTlsIdentity } from "./tls-identity.ts";

/** What a server asks of an engine. */
interface ServedEngine {
  /** Bound to what a caller may see; kept by the engine. */
  tape(access: Access): Tape;
  /** A round trip to the store, in milliseconds. */
  ping(signal?: AbortSignal): Promise<number>;
  /** Counters, by camelCase name. */
  stats(): object;
}

/** What a server is made of. */
export interface ServerOptions {
  /** Stays open when the server closes: it is whoever made it that closes it. */
  readonly engine: ServedEngine;
  readonly config: ServerConfig;
  readonly logger: Logger;
  /** One opened before; absent: opened as the configuration says. */
  readonly port?: Port | undefined;
  /** The one of `metricsListen`, likewise. */
  readonly metricsPort?: Port | null | undefined;
  /** What the store says of itself, for `/metrics`. Default: nothing. */
  readonly storeSamples?: (() => readonly Sample[]) | undefined;
  /** Says when credentials expire. Default: the machine's. */
  readonly clock?: Clock | undefined;
}

/** A server that takes calls. */
export interface RunningServer {
  /** `host:port`, with the real port. */
  readonly address: string;
  readonly port: number;
  /** `host:port` of the metrics alone; `null`: there is none. */
  readonly metricsAddress: string | null;
  /**
   * Not ready from this moment on; streams end with SHUTTING_DOWN, calls under way are answered. What is not done after
   * `graceMs` (default: the configured one) is cut off. Idempotent.
   */
  close(graceMs?: number): Promise<void>;
}

const headersTimeoutMs = 10_000;
const keepAliveTimeoutMs = 65_000;
const maxHeaderBytes = 32 * 1024;
const stopTickMs = 20;
// Long enough for the last answers to reach their callers.
const quietMs = 500;
// The protocol's 64 KiB stall every large message for a round trip.
const streamWindowBytes = 1024 * 1024;
const connectionWindowBytes = 8 * 1024 * 1024;

/** Opens a port as configured. Errors: CONFIG_INVALID, also for TLS files. */
export function openPort(config: ServerConfig): Promise<Port> {
  const tls = config.tls === null ? null : readTlsIdentity(config.tls);
  const { listen, maxConnections } = config;
  return Port.open({ listen, tls, maxConnections, silenceMs: greetingMsOf(config) });
}

/** Serves an engine on one port. Errors: CONFIG_INVALID. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { engine, config, logger, port: opened, storeSamples = () => [], clock = systemClock } = options;
  const port = opened ?? (await openPort(config));
  const { metricsPort = await openMetricsPort(config.metricsListen) } = options;
  const closing = new AbortController();
  // Every stream listens to it, and many streams are no leak.
  setMaxListeners(0, closing.signal);
  const authenticate = authenticatorOf(config, clock);
  const desk = new CallDesk({
    tapeOf: (access) => engine.tape(access),
    authenticate,
    limits: config,
    histogram: new CallHistogram(),
    log: logger,
    ids: randomIds(),
    clock,
  });
  const readiness = new Readiness({
    ping: (signal) => engine.ping(signal),
    closing: closing.signal,
    clock: systemClock,
    timeoutMs: 2000,
    pollMs: 5000,
  });
  const loopDelay = monitorEventLoopDelay({ resolution: 20 });
  loopDelay.enable();
  const isReady = (): boolean => readiness.isReady;
  const metrics = (): string =>
    renderMetrics({ desk, port, engineStats: () => engine.stats(), storeSamples, isReady, loopDelay });
  // Whoever reads here also asks the store, so that its readiness is of now.
  if (metricsPort !== null) serveMetrics(metricsPort, () => readiness.check().then(metrics));
  const probes: ProbeOptions = {
    readiness,
    metrics,
    authenticateMetrics: isLoopback(config.listen.host) ? admitEveryone : authenticate,
  };
  const rpcs = connectHandler(desk, (router: ConnectRouter) => {
    routeCalls(router, closing.signal);
    routeHealth(router, readiness);
    routeReflection(router);
  });
  const handler = (request: NodeRequest, response: NodeResponse): void => {
    try {
      if (closing.signal.aborted && request.httpVersionMajor === 1) response.setHeader("connection", "close");
      if (!serveProbe(probes, request, response)) rpcs(request, response);
    } catch (error) {
      // Whatever comes over the network, the server goes on.
      logger.error({ err: error }, "request handler failed");
      response.destroy();
    }
  };
  const watch = new StreamWatch({
    timeoutMs: config.requestTimeoutMs,
    // What may be under way, of both kinds, and as many as one connection may have that are still coming.
    maxStreams: 2 * config.maxPending + config.maxStreams,
  });
  const http1 = startHttp1(config, handler, watch);
  const sessions = new SessionWatch({
    greetingMs: greetingMsOf(config),
    idleMs: config.idleTimeoutMs,
    keepaliveMs: config.keepaliveMs,
  });
  const http2 = startHttp2(config, desk, closing.signal, handler, watch, sessions);
  port.accept({
    http1: (socket) => void http1.emit("connection", socket),
    http2: (socket) => void http2.emit("connection", socket),
  });

  const stop = async (graceMs: number): Promise<void> => {
    desk.close();
    closing.abort(shuttingDown());
    const gone = port.close();
    const metricsGone = closeMetricsPort(metricsPort);
    sessions.closeAll();
    http1.closeIdleConnections();
    const cut = setTimeout(() => port.destroy(), graceMs);
    let quietTicks = 0;
    const tick = setInterval(() => {
      // A connection of HTTP/1.1 becomes idle whenever its last answer is taken; nothing tells when.
      http1.closeIdleConnections();
      // Whoever keeps a connection for anything but a call (half a request, a reflection stream) is not waited for.
      quietTicks = desk.idle ? quietTicks + 1 : 0;
      if (quietTicks * stopTickMs > quietMs) port.destroy();
    }, stopTickMs);
    await Promise.all([gone, metricsGone]);
    clearInterval(tick);
    clearTimeout(cut);
    watch.close();
    sessions.close();
    loopDelay.disable();
    http1.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    address: formatAddress(port.address),
    port: port.address.port,
    metricsAddress: metricsPort === null ? null : formatAddress(metricsPort.address),
    close: (graceMs = config.graceMs) => (stopped ??= stop(graceMs)),
  };
}

function authenticatorOf({ auth, idTokens, credentials, maxPending }: ServerConfig, clock: Clock): Authenticator {
  if (idTokens !== null) return admitIdTokens(idTokens, { maxWaiting: maxPending, now: () => clock.now() });
  return auth === "none" ? admitEveryone : admitTokens(credentials);
}

type Handler = (request: NodeRequest, response: NodeResponse) => void;

/** How long a connection may take to say the first thing. */
const greetingMsOf = (config: ServerConfig): number => Math.min(headersTimeoutMs, config.requestTimeoutMs);

function startHttp1(config: ServerConfig, handler: Handler, watch: StreamWatch): Http1Server {
  const watched = (request: NodeRequest, response: ServerResponse & NodeResponse): void => {
    watch.addResponse(response);
    handler(request, response);
  };
  const server = createHttp1Server(
    {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: greetingMsOf(config),
      requestTimeout: config.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, config.requestTimeoutMs),
      keepAliveTimeout: Math.min(keepAliveTimeoutMs, config.idleTimeoutMs),
    },
    watched,
  );
  // Connections are handed to it, so it never listens; but only "listening" starts the checks of its timeouts.
  server.emit("listening");
  return server;
}

function startHttp2(
  config: ServerConfig,
  desk: CallDesk,
  closing: AbortSignal,
  handler: Handler,
  watch: StreamWatch,
  sessions: SessionWatch,
): Http2Server {
  const options = {
    // In MB; what one connection has in flight counts too, and the desk bounds that for all of them together.
    maxSessionMemory: Math.ceil(config.maxBufferedBytes / 1024 ** 2),
    settings: {
      maxConcurrentStreams: config.maxStreams,
      initialWindowSize: streamWindowBytes,
      maxHeaderListSize: maxHeaderBytes,
    },
  };
  // It never sees a connection: it only wraps single streams for handlers written for HTTP/1.1.
  const compat = createHttp2Server(options, handler);
  const server = createHttp2Server(options);
  server.on("session", (session) => {
    sessions.add(session);
    session.setLocalWindowSize(connectionWindowBytes);
  });
  server.on("stream", (stream, headers, flags) => {
    // A stream that breaks says so by closing; without a listener its error would end the process.
    stream.on("error", ignore);
    // Its caller may have reset it already; Node's wrapper for HTTP/1.1 handlers throws on such streams.
    if (stream.destroyed || stream.closed) return;
    sessions.addStream(stream);
    if (!watch.add(stream)) {
      // Nothing of it was done, says this code: it may be tried again.
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    if (!serveGrpc(desk, closing, stream, headers)) compat.emit("stream", stream, headers, flags);
  });
  return server;
}

function ignore(): void {}
