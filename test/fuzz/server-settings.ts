import type { ServerConfig } from "../../src/server/config.ts";

const mebibyte = 1024 ** 2;

/** A server on a free loopback port that takes messages of this size. */
export const serverSettings = (maxMessageBytes: number): ServerConfig => ({
  store: "memory:",
  migrate: true,
  listen: { host: "127.0.0.1", port: 0 },
  auth: "none",
  credentials: [],
  idTokens: null,
  tls: null,
  log: { format: "json", level: "error", colours: false },
  maxMessageBytes,
  maxPayloadBytes: maxMessageBytes,
  maxPending: 100,
  maxBufferedBytes: 16 * mebibyte,
  maxStreams: 100,
  maxConnections: 100,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 300_000,
  keepaliveMs: 30_000,
  graceMs: 1000,
  cacheBytes: mebibyte,
  metricsListen: null,
  retention: {},
  described: [],
});
