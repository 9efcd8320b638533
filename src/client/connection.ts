import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type OutgoingHttpHeaders,
} from "node:http2";
import { TapeError } from "../errors.ts";
import type { TlsOptions } from "./client-options.ts";
import { connectionError } from "./connection-error.ts";
import type { Timers } from "./timers.ts";

/** What a connection needs to know. */
export interface ConnectionOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly origin: string;
  readonly tls: TlsOptions | undefined;
  /** Milliseconds between pings while calls are under way. */
  readonly keepaliveMs: number;
  readonly timers: Timers;
  /** Called when a stream has ended, and when the connection takes no more calls. */
  readonly onChange: () => void;
}

const connectTimeoutMs = 10_000;
const pingTimeoutMs = 10_000;
// The protocol's 64 KiB windows stall every large message and every busy tail for a round trip.
const streamWindowBytes = 1024 * 1024;
const connectionWindowBytes = 16 * 1024 * 1024;
// Node's own default of 10 MB a session would refuse a few payloads of 8 MiB in flight.
const sessionMemoryMb = 1024;

/** One HTTP/2 session, opened at once and never again. It keeps the process alive only while a call is under way. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #session: ClientHttp2Session;
  #greeted = false;
  #leaving = false;
  #failure: TapeError | undefined;
  #active = 0;
  #quietSince: number;
  #stopConnectTimer: () => void;
  #stopKeepalive: () => void = () => undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#quietSince = options.timers.now();
    const session = connect(options.origin, {
      ...options.tls,
      maxSessionMemory: sessionMemoryMb,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    });
    this.#session = session;
    session.unref();
    this.#stopConnectTimer = options.timers.after(connectTimeoutMs, () => this.#giveUp());
    session.once("connect", (_session, socket) => {
      if ("setNoDelay" in socket) socket.setNoDelay(true);
      session.setLocalWindowSize(connectionWindowBytes);
    });
    session.once("remoteSettings", () => {
      this.#stopConnectTimer();
      this.#greeted = true;
    });
    session.on("error", (cause) => (this.#failure ??= this.#broken(cause)));
    // After a GOAWAY the calls under way go on, and Node closes the session behind them.
    session.on("goaway", () => this.#leave());
    session.on("close", () => {
      this.#stopConnectTimer();
      this.#stopKeepalive();
      this.#leave();
    });
  }

  /** Whether new calls may be tried here. */
  get open(): boolean {
    return !this.#leaving && !this.#session.closed && !this.#session.destroyed;
  }

  /** Whether the server has said anything here; then it has also said how many streams it allows. */
  get greeted(): boolean {
    return this.#greeted;
  }

  /** Whether the server takes one more stream. Before it has said how many, they are taken to be 100. */
  get roomy(): boolean {
    return this.#active < (this.#greeted ? (this.#session.remoteSettings.maxConcurrentStreams ?? Infinity) : 100);
  }

  /** Opens a stream. Throws SERVER_UNAVAILABLE when the session has just ended. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    let stream: ClientHttp2Stream;
    try {
      stream = this.#session.request(headers);
    } catch (cause) {
      this.#leave();
      throw this.errorOf(undefined, cause);
    }
    this.#begin();
    stream.once("close", () => this.#end());
    return stream;
  }

  /** What a stream died of that ended without an answer. */
  errorOf(stream: ClientHttp2Stream | undefined, cause: unknown): TapeError {
    if (stream?.rstCode === constants.NGHTTP2_ENHANCE_YOUR_CALM) {
      return new TapeError("OVERLOADED", "The server refused the call because it has too much to do.", { cause });
    }
    return this.#failure ?? this.#broken(cause);
  }

  /** Ends the session, and every stream on it with it. */
  destroy(): void {
    this.#session.destroy();
  }

  #begin(): void {
    this.#active += 1;
    if (this.#active > 1) return;
    this.#session.ref();
    // A connection that was quiet for long may be gone without a word; better to know before the deadline does.
    const quietMs = this.#options.timers.now() - this.#quietSince;
    if (this.#greeted && quietMs >= this.#options.keepaliveMs) this.#ping();
    else this.#pingLater();
  }

  #end(): void {
    this.#active -= 1;
    if (this.#active === 0) {
      this.#session.unref();
      this.#stopKeepalive();
      this.#quietSince = this.#options.timers.now();
    }
    this.#options.onChange();
  }

  #leave(): void {
    this.#leaving = true;
    this.#options.onChange();
  }

  #pingLater(): void {
    this.#stopKeepalive = this.#options.timers.after(this.#options.keepaliveMs, () => this.#ping());
  }

  #ping(): void {
    if (this.#session.closed || this.#session.destroyed) return;
    this.#stopKeepalive = this.#options.timers.after(pingTimeoutMs, () => this.#giveUp());
    this.#session.ping((error) => {
      // Without a call under way the next one starts the clock again.
      if (error !== null || this.#active === 0) return;
      this.#stopKeepalive();
      this.#pingLater();
    });
  }

  #broken(cause: unknown): TapeError {
    return connectionError(this.#options.origin, cause, this.#greeted);
  }

  #giveUp(): void {
    this.#failure ??= this.#broken(Object.assign(new Error("no answer"), { code: "ETIMEDOUT" }));
    this.#session.destroy();
  }
}
