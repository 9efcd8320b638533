import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { goawayCode } from "./http2-wire.ts";

/** What became of a connection. `open`: the server still bears it. */
export type Fate = "open" | "closed" | `goaway ${number}` | `status ${number}`;

/** Where an attack goes. */
export interface Door {
  readonly port: number;
  /** Speaks TLS, and offers this by ALPN; absent: no TLS. */
  readonly alpn?: "h2" | "http/1.1";
}

// Enough of what the server says to know why it said goodbye; a deaf attacker is made by not reading, not by this.
const keptBytes = 64 * 1024;

/** A connection whose owner sends what he likes, and that remembers how it ended. */
export class HostileSocket {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #fate: Fate = "open";
  readonly #ended: Promise<void>;
  #trickle: NodeJS.Timeout | undefined;

  constructor({ port, alpn }: Door) {
    const to = { port, host: "127.0.0.1" };
    this.#socket =
      alpn === undefined ? connectTcp(to) : connectTls({ ...to, ALPNProtocols: [alpn], rejectUnauthorized: false });
    this.#socket.on("data", (bytes: Buffer) => {
      if (this.#received.length < keptBytes) this.#received = Buffer.concat([this.#received, bytes]);
    });
    // How a connection breaks is a fate like any other.
    this.#socket.on("error", () => {});
    this.#ended = new Promise((resolve) => this.#socket.once("close", resolve)).then(() => {
      clearInterval(this.#trickle);
      this.#fate = fateOf(this.#received);
    });
  }

  get fate(): Fate {
    return this.#fate;
  }

  /** Whether the server has said goodbye, though the connection may still be there. */
  get dismissed(): boolean {
    return goawayCode(this.#received) !== undefined;
  }

  get received(): Buffer {
    return this.#received;
  }

  /** Bytes that the system has not taken yet: those of somebody who does not read. */
  get stuckBytes(): number {
    return this.#socket.writableLength;
  }

  /** Resolves when the connection is over, whoever ended it. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Resolves when it is open. */
  opened(): Promise<void> {
    const event = "encrypted" in this.#socket ? "secureConnect" : "connect";
    return Promise.race([new Promise<void>((resolve) => this.#socket.once(event, resolve)), this.#ended]);
  }

  send(...parts: readonly (Uint8Array | string)[]): void {
    for (const part of parts) if (this.#socket.writable) this.#socket.write(part);
  }

  /** Sends the bytes one by one, for as long as there are any and the connection lives. */
  trickle(bytes: Uint8Array, everyMs: number): void {
    let at = 0;
    this.#trickle = setInterval(() => {
      this.send(bytes.subarray(at, at + 1));
      at += 1;
    }, everyMs);
  }

  /** Reads nothing from now on, so that the system's buffers fill. */
  deafen(): void {
    this.#socket.pause();
  }

  /** Reads again, so that the end is heard. */
  listen(): void {
    this.#socket.resume();
  }

  /** Leaves. */
  leave(): void {
    clearInterval(this.#trickle);
    this.#socket.destroy();
  }
}

function fateOf(received: Buffer): Fate {
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(received.toString("latin1", 0, 16))?.[1];
  if (status !== undefined) return `status ${Number(status)}`;
  const code = goawayCode(received);
  return code === undefined ? "closed" : `goaway ${code}`;
}
