import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";

type Done = (error?: Error | null) => void;

/**
 * The stream that `pg` takes for a socket: it asks for one and says `connect` at once, but the real socket exists only
 * after the API, TLS and the metadata exchange. It owns that socket; destroying it early ends the attempt.
 */
export class ConnectorStream extends Duplex {
  readonly #dial: (signal: AbortSignal) => Promise<TLSSocket>;
  readonly #attempt = new AbortController();
  #socket: TLSSocket | undefined;
  #noDelay = false;
  #held = true;

  constructor(dial: (signal: AbortSignal) => Promise<TLSSocket>) {
    // As a socket has it by default: when the server ends, we end.
    super({ allowHalfOpen: false });
    this.#dial = dial;
  }

  /** Address and port are those that the API tells, whatever is passed. Emits `connect`, or fails. */
  connect(): this {
    void this.#open();
    return this;
  }

  setNoDelay(noDelay = true): this {
    this.#noDelay = noDelay;
    this.#socket?.setNoDelay(noDelay);
    return this;
  }

  /** Called by `pg` after `connect`, so there is nothing to remember. */
  setKeepAlive(enable?: boolean, initialDelay?: number): this {
    this.#socket?.setKeepAlive(enable, initialDelay);
    return this;
  }

  ref(): this {
    this.#held = true;
    this.#socket?.ref();
    return this;
  }

  unref(): this {
    this.#held = false;
    this.#socket?.unref();
    return this;
  }

  async #open(): Promise<void> {
    let socket: TLSSocket;
    try {
      socket = await this.#dial(this.#attempt.signal);
    } catch (error) {
      this.destroy(error instanceof Error ? error : undefined);
      return;
    }
    if (this.destroyed) {
      socket.destroy();
      return;
    }
    if (socket.destroyed) {
      this.destroy();
      return;
    }
    this.#socket = socket;
    socket.setNoDelay(this.#noDelay);
    if (!this.#held) socket.unref();
    socket.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) socket.pause();
    });
    let ended = false;
    socket.on("end", () => {
      ended = true;
      this.push(null);
    });
    socket.on("error", (error: Error) => this.destroy(error));
    socket.on("close", () => {
      if (!ended) this.destroy();
    });
    this.emit("connect");
    socket.resume();
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#send(chunk, done);
  }

  // What was collected meanwhile goes out as one TLS record rather than one for each message.
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  #send(bytes: Buffer, done: Done): void {
    if (this.#socket === undefined) this.once("connect", () => this.#socket?.write(bytes, done));
    else this.#socket.write(bytes, done);
  }

  override _final(done: Done): void {
    if (this.#socket === undefined) done();
    else this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#attempt.abort();
    this.#socket?.destroy();
    done(error);
  }
}
