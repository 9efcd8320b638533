import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What becomes of the answer: it is cut off with its connection, or never comes while the connection looks alive. */
type Loss = "cut" | "swallow";

interface Trap {
  readonly statement: Buffer;
  readonly loss: Loss;
  readonly lost: () => void;
}

/** A line between a store and its server that knows which statement passes, and can lose the answer of one. */
export class StatementProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #armed: Trap | undefined;
  /** Whether connections get through; otherwise they are closed as soon as they come. */
  isUp = true;
  /** Connections that were tried. */
  attempts = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => this.#join(near));
  }

  /** On a free port before the server of this URL. */
  static async to(url: string): Promise<StatementProxy> {
    const proxy = new StatementProxy(Number(new URL(url).port));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  /** The URL, by way of the proxy. */
  url(direct: string): string {
    const url = new URL(direct);
    url.port = String((this.#server.address() as AddressInfo).port);
    url.searchParams.set("sslmode", "disable");
    return url.href;
  }

  /** Of the next statement with this text or name; resolves when the server has answered it and the answer is lost. */
  loseAnswer(statement: string, loss: Loss): Promise<void> {
    return new Promise((lost) => {
      this.#armed = { statement: Buffer.from(statement), loss, lost };
    });
  }

  /** Ends the connections that exist, without a word of the server. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isUp = false;
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    this.attempts += 1;
    if (!this.isUp) {
      near.destroy();
      return;
    }
    const far = connect(this.#target, "127.0.0.1");
    this.#link(near, far);
    this.#link(far, near);
    let losing: Trap | undefined;
    near.on("data", (bytes: Buffer) => {
      if (this.#armed !== undefined && bytes.includes(this.#armed.statement)) {
        losing = this.#armed;
        this.#armed = undefined;
      }
      far.write(bytes);
    });
    far.on("data", (bytes: Buffer) => {
      if (losing === undefined) near.write(bytes);
      else if (losing.loss === "cut") near.destroy();
      losing?.lost();
    });
  }

  #link(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      other.destroy();
    });
  }
}
