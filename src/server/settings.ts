import { defaultLimits } from "../journal/limits.ts";
import { maskUrl } from "../store/open-store.ts";

/** One effective setting, safe to print. */
export interface DescribedSetting {
  readonly name: string;
  readonly env: string;
  readonly value: string;
  readonly source: "flag" | "environment" | "default";
}

/** A setting as the command line and the reference show it. */
export interface SettingInfo {
  /** Key in {@link ConfigFlags}. */
  readonly name: SettingName;
  /** In the form that commander takes; `null`: no flag, because command lines are not secret. */
  readonly flag: string | null;
  readonly env: string;
  /** Empty: none. */
  readonly fallback: string;
  readonly help: string;
}

/** Values of flags by {@link SettingInfo.name}; absent ones are `undefined`. */
export type ConfigFlags = Readonly<Record<string, string | boolean | undefined>>;

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Key of a setting. */
export type SettingName =
  | "store"
  | "migrate"
  | "listen"
  | "auth"
  | "insecureNoAuth"
  | "tokens"
  | "tokensFile"
  | "authAudience"
  | "authAllow"
  | "authTenant"
  | "authScopes"
  | "authRules"
  | "authIssuer"
  | "authJwksUrl"
  | "tlsCert"
  | "tlsKey"
  | "log"
  | "logLevel"
  | "maxMessageBytes"
  | "maxPayloadBytes"
  | "maxPending"
  | "maxBufferedBytes"
  | "maxStreams"
  | "maxConnections"
  | "requestTimeoutMs"
  | "idleTimeoutMs"
  | "keepaliveMs"
  | "graceMs"
  | "cacheBytes"
  | "metricsListen"
  | "retention"
  | "retentionPayloads"
  | "retentionDeadTasks";

const settings: Readonly<Record<SettingName, Omit<SettingInfo, "name">>> = {
  store: {
    flag: "--store <url>",
    env: "TAPE_STORE",
    fallback: "sqlite:./tape.db",
    help: "where the journal is kept",
  },
  migrate: {
    flag: "--no-migrate",
    env: "TAPE_MIGRATE",
    fallback: "true",
    help: "bring the store's schema up to date at start",
  },
  listen: {
    flag: "--listen <host:port>",
    env: "TAPE_LISTEN",
    fallback: "127.0.0.1:7878",
    help: "address of the one port; port 0 takes any free one",
  },
  auth: {
    flag: "--auth <mode>",
    env: "TAPE_AUTH",
    fallback: "none",
    help: "none (loopback only), token, google or jwt: docs/auth.md",
  },
  insecureNoAuth: {
    flag: "--insecure-no-auth",
    env: "TAPE_INSECURE_NO_AUTH",
    fallback: "false",
    help: "allow auth none on an address that others can reach",
  },
  tokens: {
    flag: null,
    env: "TAPE_TOKENS",
    fallback: "",
    help: "bearer tokens, comma-separated: token or tenant:token",
  },
  tokensFile: {
    flag: "--tokens-file <path>",
    env: "TAPE_TOKENS_FILE",
    fallback: "",
    help: "file of bearer tokens, one a line: token or tenant:token",
  },
  authAudience: {
    flag: "--auth-audience <list>",
    env: "TAPE_AUTH_AUDIENCE",
    fallback: "",
    help: "google, jwt: what ID tokens must be for, such as https://tape.example.com; commas between several",
  },
  authAllow: {
    flag: "--auth-allow <list>",
    env: "TAPE_AUTH_ALLOW",
    fallback: "",
    help: "google: service accounts to admit, by e-mail; jwt: subjects; commas between several",
  },
  authTenant: {
    flag: "--auth-tenant <tenant>",
    env: "TAPE_AUTH_TENANT",
    fallback: "",
    help: "tenant of those whom --auth-allow admits; empty is the unnamed one",
  },
  authScopes: {
    flag: "--auth-scopes <list>",
    env: "TAPE_AUTH_SCOPES",
    fallback: "",
    help: "scopes that they may grant to a run, commas between several; * for any, empty for none",
  },
  authRules: {
    flag: "--auth-rules <path>",
    env: "TAPE_AUTH_RULES",
    fallback: "",
    help: "google, jwt: JSON file that says who is admitted to which tenant, instead of --auth-allow",
  },
  authIssuer: {
    flag: "--auth-issuer <url>",
    env: "TAPE_AUTH_ISSUER",
    fallback: "",
    help: "jwt: the issuer, as tokens name it",
  },
  authJwksUrl: {
    flag: "--auth-jwks-url <url>",
    env: "TAPE_AUTH_JWKS_URL",
    fallback: "",
    help: "jwt: the issuer's keys; found by its .well-known/openid-configuration when not given",
  },
  tlsCert: {
    flag: "--tls-cert <path>",
    env: "TAPE_TLS_CERT",
    fallback: "",
    help: "PEM file of the certificate chain; with it the port speaks TLS only",
  },
  tlsKey: {
    flag: "--tls-key <path>",
    env: "TAPE_TLS_KEY",
    fallback: "",
    help: "PEM file of the certificate's private key",
  },
  log: {
    flag: "--log <format>",
    env: "TAPE_LOG",
    fallback: "auto",
    help: "json, pretty, or auto: pretty on a terminal, else json",
  },
  logLevel: {
    flag: "--log-level <level>",
    env: "TAPE_LOG_LEVEL",
    fallback: "info",
    help: "trace, debug (every call), info, warn, error, fatal or silent",
  },
  maxMessageBytes: {
    flag: "--max-message-bytes <size>",
    env: "TAPE_MAX_MESSAGE_BYTES",
    fallback: `${defaultLimits.messageBytes}`,
    help: "largest message",
  },
  maxPayloadBytes: {
    flag: "--max-payload-bytes <size>",
    env: "TAPE_MAX_PAYLOAD_BYTES",
    fallback: `${defaultLimits.payloadBytes}`,
    help: "largest payload field",
  },
  maxPending: {
    flag: "--max-pending <count>",
    env: "TAPE_MAX_PENDING",
    fallback: "10000",
    help: "calls under way at once; more are refused with UNAVAILABLE",
  },
  maxBufferedBytes: {
    flag: "--max-buffered-bytes <size>",
    env: "TAPE_MAX_BUFFERED_BYTES",
    fallback: "256MiB",
    help: "bytes held for calls under way; more are refused with UNAVAILABLE",
  },
  maxStreams: {
    flag: "--max-streams <count>",
    env: "TAPE_MAX_STREAMS",
    fallback: "1000",
    help: "calls and streams at once on one HTTP/2 connection",
  },
  maxConnections: {
    flag: "--max-connections <count>",
    env: "TAPE_MAX_CONNECTIONS",
    fallback: "10000",
    help: "connections at once",
  },
  requestTimeoutMs: {
    flag: "--request-timeout-ms <ms>",
    env: "TAPE_REQUEST_TIMEOUT_MS",
    fallback: "60000",
    help: "time to receive a whole request or to hand over a response",
  },
  idleTimeoutMs: {
    flag: "--idle-timeout-ms <ms>",
    env: "TAPE_IDLE_TIMEOUT_MS",
    fallback: "300000",
    help: "an HTTP/2 connection without a call is closed after that time",
  },
  keepaliveMs: {
    flag: "--keepalive-ms <ms>",
    env: "TAPE_KEEPALIVE_MS",
    fallback: "30000",
    help: "how often an HTTP/2 connection with calls is asked whether its peer is there; it has as long to answer",
  },
  graceMs: {
    flag: "--grace-ms <ms>",
    env: "TAPE_GRACE_MS",
    fallback: "10000",
    help: "time for a graceful stop",
  },
  cacheBytes: {
    flag: "--cache-bytes <size>",
    env: "TAPE_CACHE_BYTES",
    fallback: "128MiB",
    help: "memory for hot rows",
  },
  retention: {
    flag: "--retention <time>",
    env: "TAPE_RETENTION",
    fallback: "",
    help: "how long runs that are over are kept before they are deleted, for example 90d; empty: for ever",
  },
  retentionPayloads: {
    flag: "--retention-payloads <time>",
    env: "TAPE_RETENTION_PAYLOADS",
    fallback: "",
    help: "how long their payloads are kept, if not as long as they are",
  },
  retentionDeadTasks: {
    flag: "--retention-dead-tasks <time>",
    env: "TAPE_RETENTION_DEAD_TASKS",
    fallback: "",
    help: "how long tasks that were given up are kept; empty: for ever",
  },
  metricsListen: {
    flag: "--metrics-listen <address>",
    env: "TAPE_METRICS_LISTEN",
    fallback: "",
    help: "also serve /metrics on this loopback address, without a token: for a scraper beside the server",
  },
};

/** All settings in the order of the reference. */
export function listSettings(): readonly SettingInfo[] {
  const names = Object.keys(settings) as readonly SettingName[];
  return names.map((name) => ({ name, ...settings[name] }));
}

/** Finds the text of each setting and remembers who gave it. */
export class SettingTexts {
  readonly #flags: ConfigFlags;
  readonly #env: Environment;

  constructor(flags: ConfigFlags, env: Environment) {
    this.#flags = flags;
    this.#env = env;
  }

  /** The effective text. */
  text(name: SettingName): string {
    // An empty variable counts as unset: that is how most shells and orchestrators clear one.
    return this.#flagText(name) ?? (this.#env[settings[name].env] || settings[name].fallback);
  }

  /** Who gave it. */
  source(name: SettingName): DescribedSetting["source"] {
    if (this.#flagText(name) !== undefined) return "flag";
    return this.#env[settings[name].env] ? "environment" : "default";
  }

  /** What to call the setting in an error: as whoever set it wrote it. */
  label(name: SettingName): string {
    const { flag, env } = settings[name];
    return this.source(name) === "flag" && flag !== null ? (flag.split(" ")[0] ?? flag) : env;
  }

  /** Text and label, as the parsers take them. */
  labelled(name: SettingName): [string, string] {
    return [this.text(name), this.label(name)];
  }

  /** All settings, secrets masked. */
  describe(): readonly DescribedSetting[] {
    return listSettings().map(({ name, env }) =>
      Object.freeze({ name, env, value: mask(name, this.text(name)), source: this.source(name) }),
    );
  }

  #flagText(name: SettingName): string | undefined {
    const value = this.#flags[name];
    // Commander gives every `--no-x` flag the value true when it is absent: that is no choice of the user.
    if (value === undefined || (value === true && settings[name].flag?.startsWith("--no-"))) return undefined;
    return String(value);
  }
}

function mask(name: SettingName, text: string): string {
  if (name === "store") return maskUrl(text);
  return name === "tokens" && text !== "" ? "(masked)" : text;
}
