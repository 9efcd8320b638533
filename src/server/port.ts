import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { configError, formatAddress, type ListenAddress } from "./config-values.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** How to open a port. */
export interface PortOptions {
  readonly listen: ListenAddress;
  readonly tls: TlsIdentity | null;
  readonly maxConnections: number;
  /** A connection whose protocol is not known after this many milliseconds is closed: the TLS handshake, the first bytes. */
  readonly silenceMs: number;
}

/** Who takes the connections, by the protocol that they speak. */
export interface Protocols {
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
}

/**
 * One open port. It is bound before anything else of a server is begun, so that a port in use costs nothing; connections
 * that come before {@link accept} wait.
 */
export class Port {
  /** As bound: with the real number where 0 was asked for. */
  readonly address: ListenAddress;
  readonly #server: Server;
  readonly #silenceMs: number;
  readonly #sockets = new Set<Socket>();
  readonly #closed: Promise<void>;
  /** Connections that no protocol has taken yet. */
  readonly #waiting = new Set<Socket>();
  /** By the peer's address, which a connection and its TLS share: what closes it unless a protocol takes it in time. */
  readonly #deadlines = new Map<string, NodeJS.Timeout>();
  #protocols: Protocols | undefined;

  /** Opens a port. Errors: CONFIG_INVALID when it cannot be had. */
  static async open(options: PortOptions): Promise<Port> {
    const { listen, tls, maxConnections } = options;
    const sockets = { noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
    const alpn = { ALPNProtocols: ["h2", "http/1.1"] };
    const server = tls === null ? createServer(sockets) : createTlsServer({ ...sockets, ...alpn, ...tls });
    server.maxConnections = maxConnections;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(listen, cause)));
      server.listen({ host: listen.host, port: listen.port }, resolve);
    });
    return new Port(server, options);
  }

  private constructor(server: Server, options: PortOptions) {
    const bound = server.address();
    const port = typeof bound === "object" && bound !== null ? bound.port : options.listen.port;
    this.address = { host: options.listen.host, port };
    this.#server = server;
    this.#silenceMs = options.silenceMs;
    this.#closed = new Promise((resolve) => server.once("close", resolve));
    server.removeAllListeners("error").on("error", ignore);
    server.on("connection", (socket: Socket) => this.#track(socket));
    server.on(options.tls === null ? "connection" : "secureConnection", (socket: Socket) => this.#take(socket));
  }

  /** Hands over the connections, those that have waited first. */
  accept(protocols: Protocols): void {
    this.#protocols = protocols;
    for (const socket of this.#waiting) this.#take(socket);
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Takes no more connections; resolves when the last one is gone. */
  close(): Promise<void> {
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#waiting) socket.destroy();
    return this.#closed;
  }

  /** Cuts every connection. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    const peer = peerOf(socket);
    this.#deadlines.set(peer, this.#deadline(socket));
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#waiting.delete(socket);
      this.#settle(peer);
    });
    // Before a protocol has taken it, a broken connection concerns nobody.
    socket.on("error", ignore);
  }

  /** A time for all of it: one that starts again with every byte never ends for whoever sends them one by one. */
  #deadline(socket: Socket): NodeJS.Timeout {
    return setTimeout(() => {
      // Before a server accepts, it is not the peer who keeps waiting.
      if (this.#protocols === undefined) this.#deadlines.set(peerOf(socket), this.#deadline(socket));
      else socket.destroy();
    }, this.#silenceMs).unref();
  }

  #settle(peer: string): void {
    clearTimeout(this.#deadlines.get(peer));
    this.#deadlines.delete(peer);
  }

  #take(socket: Socket): void {
    const protocols = this.#protocols;
    this.#waiting.add(socket);
    socket.on("error", ignore);
    if (protocols === undefined) return;
    const alpn = (socket as Partial<TLSSocket>).alpnProtocol;
    if (alpn === undefined) this.#listenIn(socket, protocols);
    else this.#handOver(socket, alpn === "h2" ? protocols.http2 : protocols.http1);
  }

  /** Without TLS the first bytes tell: HTTP/2 begins with "PRI", and no method of HTTP/1.1 does. */
  #listenIn(socket: Socket, protocols: Protocols): void {
    let seen = Buffer.alloc(0);
    const giveUp = (): void => void socket.destroy();
    const look = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      seen = Buffer.concat([seen, chunk]);
      const start = seen.toString("latin1", 0, preface.length);
      if (start.length < preface.length && preface.startsWith(start)) return;
      socket.off("readable", look).off("end", giveUp);
      socket.unshift(seen);
      this.#handOver(socket, start === preface ? protocols.http2 : protocols.http1);
    };
    socket.on("readable", look).on("end", giveUp);
  }

  #handOver(socket: Socket, take: (socket: Socket) => void): void {
    this.#waiting.delete(socket);
    this.#settle(peerOf(socket));
    take(socket);
  }
}

const preface = "PRI";
// The kernel finds out about peers that are gone without a word.
const keepAliveMs = 60_000;

function cannotListen(listen: ListenAddress, cause: NodeJS.ErrnoException): Error {
  const known: Readonly<Record<string, string>> = {
    EADDRINUSE: "something else listens there; stop it, or choose another address",
    EACCES: "that port needs more rights; choose one above 1023",
    EADDRNOTAVAIL: "this machine has no such address",
    ENOTFOUND: "there is no such host",
  };
  const fault = known[cause.code ?? ""] ?? cause.message;
  return configError("listen", `cannot listen on ${formatAddress(listen)}: ${fault}`, cause);
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function ignore(): void {}
