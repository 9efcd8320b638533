import type { ServerResponse } from "node:http";
import { constants, type ServerHttp2Stream } from "node:http2";
import { SteadyTime } from "./steady-time.ts";

/** What there is to know about a stream of HTTP/2, or a response of HTTP/1.1. */
interface Exchange {
  readonly phase: () => Phase;
  readonly cut: (phase: Phase) => void;
}

/** `stalled`: an answer of many parts whose reader does not take the next one. */
type Phase = "taking" | "answering" | "stalled" | "handing over" | "closed";

interface Watched extends Exchange {
  current: Phase;
  since: number;
}

/** When {@link StreamWatch} cuts something off. */
export interface WatchLimits {
  /** Milliseconds to receive a request, to hand over a response, or to get rid of the next part of one. */
  readonly timeoutMs: number;
  /** Streams of HTTP/2 at once, of all connections. */
  readonly maxStreams: number;
}

/**
 * Cuts off requests that do not come to their end, and answers that are not taken, in time. Node has the first of these
 * limits, and for HTTP/1.1 only. One sweep over all streams costs less than a timer for each.
 */
export class StreamWatch {
  readonly #watched = new Map<object, Watched>();
  readonly #limits: WatchLimits;
  readonly #timer: NodeJS.Timeout;
  readonly #time: SteadyTime;
  #streams = 0;

  constructor(limits: WatchLimits) {
    this.#limits = limits;
    const everyMs = Math.min(1000, limits.timeoutMs);
    this.#time = new SteadyTime(everyMs);
    this.#timer = setInterval(() => this.#sweep(this.#time.read()), everyMs).unref();
  }

  /** Watches a stream until it closes; says `false`, and does not, when there are too many. */
  add(stream: ServerHttp2Stream): boolean {
    if (this.#streams >= this.#limits.maxStreams) return false;
    this.#streams += 1;
    stream.once("close", () => (this.#streams -= 1));
    this.#watch(stream, {
      phase: () => phaseOfStream(stream),
      cut: (phase) => {
        // Node keeps some streams that were reset at an odd moment, and their session with them, for ever.
        if (phase === "closed") stream.destroy();
        // Clients of gRPC take this for RESOURCE_EXHAUSTED, which it is; a trailer would wait behind what is not taken.
        else stream.close(phase === "stalled" ? constants.NGHTTP2_ENHANCE_YOUR_CALM : constants.NGHTTP2_CANCEL);
      },
    });
    return true;
  }

  /** Watches over the answer to a request of HTTP/1.1; that the request comes in time is Node's matter. */
  addResponse(response: ServerResponse): void {
    this.#watch(response, {
      phase: () => phaseOfResponse(response),
      cut: () => void response.destroy(),
    });
  }

  /** Stops watching. */
  close(): void {
    clearInterval(this.#timer);
  }

  #watch(emitter: ServerHttp2Stream | ServerResponse, exchange: Exchange): void {
    const watched: Watched = { ...exchange, current: exchange.phase(), since: this.#time.now };
    this.#watched.set(emitter, watched);
    emitter.once("close", () => this.#watched.delete(emitter));
    // Whoever takes a part, however slowly, gets the whole time for the next one.
    emitter.on("drain", () => (watched.current = "answering"));
  }

  #sweep(now: number): void {
    for (const watched of this.#watched.values()) {
      const phase = watched.phase();
      if (phase !== watched.current) {
        watched.current = phase;
        watched.since = now;
      }
      if (phase === "closed") watched.cut(phase);
      // An answer that has begun may go on for days; a request may not.
      else if (phase !== "answering" && now - watched.since > this.#limits.timeoutMs) watched.cut(phase);
    }
  }
}

function phaseOfStream(stream: ServerHttp2Stream): Phase {
  if (stream.closed) return "closed";
  if (stream.writableEnded) return "handing over";
  if (stream.headersSent) return stream.writableNeedDrain ? "stalled" : "answering";
  return stream.readableEnded ? "answering" : "taking";
}

function phaseOfResponse(response: ServerResponse): Phase {
  if (response.writableEnded) return "handing over";
  return response.writableNeedDrain ? "stalled" : "answering";
}
