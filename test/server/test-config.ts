import type { ServerConfig } from "../../src/server/config.ts";

const mebibyte = 1024 ** 2;

/** A configuration on a free loopback port. */
export const testConfig: ServerConfig = {
  store: "memory:",
  migrate: true,
  listen: { host: "127.0.0.1", port: 0 },
  auth: "none",
  credentials: [],
  idTokens: null,
  tls: null,
  log: { format: "json", level: "trace", colours: false },
  maxMessageBytes: mebibyte,
  maxPayloadBytes: mebibyte,
  maxPending: 100,
  maxBufferedBytes: 16 * mebibyte,
  maxStreams: 100,
  maxConnections: 100,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 300_000,
  keepaliveMs: 30_000,
  graceMs: 5000,
  cacheBytes: mebibyte,
  metricsListen: null,
  retention: {},
  described: [],
};
