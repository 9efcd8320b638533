import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { SteadyTime } from "./steady-time.ts";

interface Watched {
  greeted: boolean;
  streams: number;
  /** Since when it is as it is: not greeted, idle, or told to go. */
  since: number;
  pingedAt: number;
  /** The peer was told that no more calls should come here; those that were on their way still may. */
  told: boolean;
  /** A PING is on its way. */
  pinging: boolean;
}

/** When {@link SessionWatch} closes a connection, in milliseconds. */
export interface SessionLimits {
  /** To say the preface and the first SETTINGS, and to leave when told to. */
  readonly greetingMs: number;
  /** Without a stream. */
  readonly idleMs: number;
  /** From one PING to the next, while there are streams; a peer that has not answered by then is gone. */
  readonly keepaliveMs: number;
}

/** Of whatever stream: a GOAWAY with it refuses nothing yet. */
const lastStreamId = 2 ** 31 - 1;
/** More than a round trip. */
const noticeMs = 1000;

/**
 * Closes connections of HTTP/2 that hold a place and do nothing with it: those that never come to their first word, those
 * without a call, and those whose peer is gone without a word. Of all this Node has nothing.
 */
export class SessionWatch {
  readonly #watched = new Map<ServerHttp2Session, Watched>();
  readonly #limits: SessionLimits;
  readonly #timer: NodeJS.Timeout;
  readonly #time: SteadyTime;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
    const { greetingMs, idleMs, keepaliveMs } = limits;
    const everyMs = Math.max(1, Math.min(1000, greetingMs / 2, idleMs / 2, keepaliveMs / 2));
    this.#time = new SteadyTime(everyMs);
    this.#timer = setInterval(() => this.#sweep(this.#time.read()), everyMs).unref();
  }

  /** Watches a connection until it closes. */
  add(session: ServerHttp2Session): void {
    const { now } = this.#time;
    const watched: Watched = { greeted: false, streams: 0, since: now, pingedAt: now, told: false, pinging: false };
    this.#watched.set(session, watched);
    session.once("remoteSettings", () => {
      watched.greeted = true;
      watched.since = this.#time.now;
    });
    session.once("close", () => this.#watched.delete(session));
  }

  /** Takes note of a stream on a connection that is watched. */
  addStream(stream: ServerHttp2Stream): void {
    const watched = stream.session === undefined ? undefined : this.#watched.get(stream.session as ServerHttp2Session);
    if (watched === undefined) return;
    watched.streams += 1;
    stream.once("close", () => {
      watched.streams -= 1;
      watched.since = this.#time.now;
    });
  }

  /** Tells every connection to go, once its streams are done. */
  closeAll(): void {
    for (const session of this.#watched.keys()) session.close();
  }

  /** Stops watching. */
  close(): void {
    clearInterval(this.#timer);
  }

  #sweep(now: number): void {
    const { greetingMs, idleMs, keepaliveMs } = this.#limits;
    for (const [session, watched] of this.#watched) {
      const forMs = now - watched.since;
      if (watched.streams > 0) {
        if (now - watched.pingedAt >= keepaliveMs) this.#ping(session, watched, now);
      } else if (!watched.greeted || session.closed) {
        if (forMs > greetingMs) session.destroy();
      } else if (watched.told) {
        // RFC 9113, 6.8: a call that crossed the first GOAWAY has come by now, and was served.
        if (forMs > noticeMs) session.close();
      } else if (forMs > idleMs) {
        watched.told = true;
        watched.since = now;
        // Clients open another connection for their next call.
        session.goaway(constants.NGHTTP2_NO_ERROR, lastStreamId);
      }
    }
  }

  #ping(session: ServerHttp2Session, watched: Watched, now: number): void {
    if (watched.pinging) {
      session.destroy();
      return;
    }
    watched.pingedAt = now;
    // It is `false`, and nothing was sent, when the session is ending already.
    watched.pinging = !session.destroyed && session.ping(() => (watched.pinging = false));
  }
}
