import type { Timers } from "./timers.ts";

/** Options of `connectTape`. Everything has a default. */
export interface ClientOptions {
  /**
   * Sent as `authorization: Bearer ...`. A function is asked before every attempt, so that it can renew what expires.
   * Default: none.
   */
  readonly token?: string | (() => string | Promise<string>) | undefined;
  /**
   * Node only, instead of `token`: `"google"` sends ID tokens of the Application Default Credentials, renewed before they
   * expire, for servers with `TAPE_AUTH=google`. Needs `tapes://` (or loopback) and the package `google-auth-library`.
   * Default: none.
   */
  readonly auth?: "google" | undefined;
  /** What ID tokens of `auth` are for. Default: the server's URL as https, `https://host`. */
  readonly audience?: string | undefined;
  /**
   * How long a unary call may take, all its attempts together; `Infinity` for no limit. A stream has a limit only when
   * its own call gives one. Default: 30,000, enough for a server to restart and far more than a commit takes.
   */
  readonly timeoutMs?: number | undefined;
  /** How UNAVAILABLE and lost races are tried again; always safe, by R3. */
  readonly retries?: RetryOptions | undefined;
  /** Closes the client when it fires. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Node only: a connection with calls under way is asked for a sign of life this often; one that gives none for 10
   * seconds is given up. Default: 30,000, below the idle time-outs of common load balancers.
   */
  readonly keepaliveMs?: number | undefined;
  /** Node only: for `tapes://`, beside the certificates that Node trusts. Default: none. */
  readonly tls?: TlsOptions | undefined;
  /** For tests. Default: the platform's. */
  readonly timers?: Timers | undefined;
}

/** How calls are tried again. The wait doubles at every attempt and is cut by a random part, up to a half. */
export interface RetryOptions {
  /** Attempts in all; 1 for none but the first. Default: 10, some ten seconds of trying. */
  readonly maxAttempts?: number | undefined;
  /** The first wait, in milliseconds. Default: 50. */
  readonly baseDelayMs?: number | undefined;
  /** The longest wait, in milliseconds. Default: 2,000. */
  readonly maxDelayMs?: number | undefined;
}

/** TLS of `tapes://`, in PEM text. */
export interface TlsOptions {
  /** Authorities to trust instead of the well-known ones. */
  readonly ca?: string | undefined;
  /** The client's certificate, where the server asks for one. */
  readonly cert?: string | undefined;
  /** The key of `cert`. */
  readonly key?: string | undefined;
  /** The name that the server's certificate must have, when it is not the host of the URL. */
  readonly servername?: string | undefined;
}
