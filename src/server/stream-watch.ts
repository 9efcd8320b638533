import { constants, type ServerHttp2Stream } from "node:http2";

interface Watched {
  phase: "taking" | "handing over" | "closed";
  since: number;
}

/**
 * Cuts off HTTP/2 streams whose request does not come to its end, or whose answer is not taken, in time. HTTP/1.1 has
 * such limits in Node, HTTP/2 has none. One sweep over all streams costs less than a timer for each.
 */
export class StreamWatch {
  readonly #streams = new Map<ServerHttp2Stream, Watched>();
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    this.#timer = setInterval(() => this.#sweep(performance.now()), Math.min(1000, timeoutMs)).unref();
  }

  /** Watches a stream until it closes. */
  add(stream: ServerHttp2Stream): void {
    this.#streams.set(stream, { phase: "taking", since: performance.now() });
    stream.once("close", () => this.#streams.delete(stream));
  }

  /** Stops watching. */
  close(): void {
    clearInterval(this.#timer);
  }

  #sweep(now: number): void {
    for (const [stream, watched] of this.#streams) {
      const phase = stream.closed ? "closed" : stream.writableEnded ? "handing over" : "taking";
      if (phase !== watched.phase) {
        watched.phase = phase;
        watched.since = now;
        continue;
      }
      // Node keeps some streams that were reset at an odd moment, and their session with them, for ever.
      if (phase === "closed") stream.destroy();
      // An answer that has begun may go on for days; a request may not.
      else if (phase === "taking" && (stream.readableEnded || stream.headersSent)) continue;
      else if (now - watched.since > this.#timeoutMs) stream.close(constants.NGHTTP2_CANCEL);
    }
  }
}
