import {
  configError,
  formatAddress,
  isLoopback,
  parseBytes,
  parseChoice,
  parseFlag,
  parseInteger,
  parseListenAddress,
  parseTime,
  type ListenAddress,
} from "./config-values.ts";
import type { RetentionBounds } from "../engine/retention.ts";
import { parseCredentials, type Credential } from "./credentials.ts";
import { authModes, readIdTokenConfig, type AuthMode } from "./id-token/id-token-settings.ts";
import type { IdTokenConfig } from "./id-token/id-token-gate.ts";
import type { LogOptions } from "./logger.ts";
import { readSettingFile } from "./setting-file.ts";
import { SettingTexts, type ConfigFlags, type DescribedSetting, type Environment } from "./settings.ts";

/** Everything a server can be told, checked and frozen. */
export interface ServerConfig {
  /** The store URL; may hold a password. */
  readonly store: string;
  /** Whether the schema is brought up to date at start. */
  readonly migrate: boolean;
  readonly listen: ListenAddress;
  readonly auth: AuthMode;
  /** Secret. Empty unless `auth` is `token`. */
  readonly credentials: readonly Credential[];
  /** `null` unless `auth` is `google` or `jwt`. */
  readonly idTokens: IdTokenConfig | null;
  /** PEM files; `null`: no TLS. */
  readonly tls: TlsFiles | null;
  readonly log: LogOptions;
  /** Bytes of a message, compressed or not (R7). */
  readonly maxMessageBytes: number;
  /** Bytes of a payload field (R7). */
  readonly maxPayloadBytes: number;
  /** Calls under way at once; more are refused with OVERLOADED. */
  readonly maxPending: number;
  /** Bytes of requests and responses held for calls under way; more are refused with OVERLOADED. */
  readonly maxBufferedBytes: number;
  /** Calls and streams of one HTTP/2 connection. */
  readonly maxStreams: number;
  /** Connections; more are closed at once. */
  readonly maxConnections: number;
  /** Time to receive one whole request, or to hand over one response, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Time that a connection of HTTP/2 may be without a call, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Time between two PINGs on a connection of HTTP/2 with calls, in milliseconds. */
  readonly keepaliveMs: number;
  /** Time for a graceful stop, in milliseconds. */
  readonly graceMs: number;
  /** Bytes of hot rows kept in memory. */
  readonly cacheBytes: number;
  /** Where `/metrics` is served without a token, on loopback; `null`: nowhere but on the one port. */
  readonly metricsListen: ListenAddress | null;
  /** How long runs that are over, and their payloads, are kept. */
  readonly retention: RetentionBounds;
  /** The effective settings as text, secrets masked: what `tape config` prints. */
  readonly described: readonly DescribedSetting[];
}

/** Files of the server's certificate chain and its key. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
const mebibyte = 1024 ** 2;
const gibibyte = 1024 ** 3;

/** The effective settings of a configuration, safe to print. */
export function describeConfig(config: ServerConfig): readonly DescribedSetting[] {
  return config.described;
}

/** The environment of this process. Whoever needs a variable that is no setting of a server is handed it from here. */
export function readEnvironment(): Environment {
  return process.env;
}

/** Flags, then environment, then defaults. Errors: CONFIG_INVALID, one clear line. */
export function loadConfig(
  flags: ConfigFlags = {},
  env: Environment = readEnvironment(),
  isTerminal: boolean = process.stderr.isTTY,
): ServerConfig {
  const texts = new SettingTexts(flags, env);
  const listen = parseListenAddress(...texts.labelled("listen"));
  const auth = parseChoice(...texts.labelled("auth"), authModes);
  const credentials = readCredentials(texts);
  const idTokens = readIdTokenConfig(texts, auth);
  if (auth === "token" && credentials.length === 0) {
    throw configError(texts.label("auth"), "token needs TAPE_TOKENS or TAPE_TOKENS_FILE with at least one token");
  }
  // Tokens that nothing checks would be a server that only looks protected.
  if (auth !== "token" && credentials.length > 0) {
    throw configError(texts.label("auth"), `${auth} ignores the tokens given; write --auth token or take them away`);
  }
  if (auth === "none" && !isLoopback(listen.host) && !parseFlag(...texts.labelled("insecureNoAuth"))) {
    throw configError(
      texts.label("listen"),
      `${formatAddress(listen)} can be reached by others; set --auth token, google or jwt, or allow it with --insecure-no-auth`,
    );
  }
  const maxMessageBytes = parseBytes(...texts.labelled("maxMessageBytes"), 1024, 256 * mebibyte);
  const format = parseChoice(...texts.labelled("log"), ["auto", "json", "pretty"]);
  return Object.freeze({
    store: texts.text("store"),
    migrate: parseFlag(...texts.labelled("migrate")),
    listen: Object.freeze(listen),
    auth,
    credentials: Object.freeze(credentials),
    idTokens,
    tls: tlsFiles(texts),
    log: Object.freeze({
      format: format === "auto" ? (isTerminal ? "pretty" : "json") : format,
      level: parseChoice(...texts.labelled("logLevel"), logLevels),
      // https://no-color.org
      colours: isTerminal && (env["NO_COLOR"] ?? "") === "",
    }),
    maxMessageBytes,
    // A payload travels in a message, so whoever lowers the one has lowered the other.
    maxPayloadBytes: Math.min(parseBytes(...texts.labelled("maxPayloadBytes"), 1, 256 * mebibyte), maxMessageBytes),
    maxPending: parseInteger(...texts.labelled("maxPending"), 1, 1_000_000),
    maxBufferedBytes: parseBytes(...texts.labelled("maxBufferedBytes"), maxMessageBytes, 64 * gibibyte),
    maxStreams: parseInteger(...texts.labelled("maxStreams"), 1, 1_000_000),
    maxConnections: parseInteger(...texts.labelled("maxConnections"), 1, 1_000_000),
    requestTimeoutMs: parseInteger(...texts.labelled("requestTimeoutMs"), 1, 3_600_000),
    idleTimeoutMs: parseInteger(...texts.labelled("idleTimeoutMs"), 1, 86_400_000),
    keepaliveMs: parseInteger(...texts.labelled("keepaliveMs"), 1, 3_600_000),
    graceMs: parseInteger(...texts.labelled("graceMs"), 0, 3_600_000),
    cacheBytes: parseBytes(...texts.labelled("cacheBytes"), mebibyte, 1024 * gibibyte),
    metricsListen: readMetricsListen(texts),
    retention: retentionBounds(texts),
    described: Object.freeze(texts.describe()),
  });
}

function retentionBounds(texts: SettingTexts): RetentionBounds {
  const runsMs = parseTime(...texts.labelled("retention"));
  const payloadsMs = parseTime(...texts.labelled("retentionPayloads"));
  if (runsMs !== undefined && payloadsMs !== undefined && payloadsMs > runsMs) {
    throw configError(
      texts.label("retentionPayloads"),
      `payloads cannot be kept ${texts.text("retentionPayloads")} when runs are kept ${texts.text("retention")}`,
    );
  }
  return Object.freeze({ runsMs, payloadsMs, deadTasksMs: parseTime(...texts.labelled("retentionDeadTasks")) });
}

function readCredentials(texts: SettingTexts): readonly Credential[] {
  const inline = parseCredentials(...texts.labelled("tokens"));
  const file = readSettingFile(texts, "tokensFile");
  return file === null ? inline : [...inline, ...parseCredentials(...file)];
}

function readMetricsListen(texts: SettingTexts): ListenAddress | null {
  if (texts.text("metricsListen") === "") return null;
  const listen = parseListenAddress(...texts.labelled("metricsListen"));
  if (isLoopback(listen.host)) return Object.freeze(listen);
  throw configError(
    texts.label("metricsListen"),
    `${formatAddress(listen)} can be reached by others, and nobody needs a token there; write 127.0.0.1:9464`,
  );
}

function tlsFiles(texts: SettingTexts): TlsFiles | null {
  const certFile = texts.text("tlsCert");
  const keyFile = texts.text("tlsKey");
  if (certFile === "" && keyFile === "") return null;
  if (certFile === "") throw configError(texts.label("tlsKey"), "needs a certificate: set TAPE_TLS_CERT too");
  if (keyFile === "") throw configError(texts.label("tlsCert"), "needs a key: set TAPE_TLS_KEY too");
  return Object.freeze({ certFile, keyFile });
}
