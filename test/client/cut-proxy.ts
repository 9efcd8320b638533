import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Passes bytes on, and can break connections in the ways in which networks do. */
export class CutProxy {
  readonly #server: Server;
  #pairs: [Socket, Socket][] = [];
  #losing = false;
  /** How many answers have been lost. */
  lost = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** A proxy on a free port before a server. */
  static async to(server: { readonly url: string }): Promise<CutProxy> {
    const port = Number(new URL(server.url).port);
    const listener = createServer();
    const proxy = new CutProxy(listener);
    listener.on("connection", (near) => {
      const far = connect(port, "127.0.0.1");
      near.on("error", () => far.destroy()).on("close", () => far.destroy());
      far.on("error", () => near.destroy()).on("close", () => near.destroy());
      near.pipe(far);
      far.on("data", (bytes: Uint8Array) => proxy.#answer(near, far, bytes));
      proxy.#pairs.push([near, far]);
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return proxy;
  }

  get url(): string {
    return `tape://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Nothing passes any more on the connections that exist, which look alive and are dead. */
  mute(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far);
      near.resume();
      far.removeAllListeners("data");
      far.resume();
    }
  }

  /** The next bytes with an answer in them never arrive, and the connection breaks. */
  loseNextAnswer(): void {
    this.#losing = true;
  }

  #answer(near: Socket, far: Socket, bytes: Uint8Array): void {
    if (this.#losing && isAnswer(bytes)) {
      this.#losing = false;
      this.lost += 1;
      near.destroy();
      return;
    }
    if (!near.write(bytes)) {
      far.pause();
      near.once("drain", () => far.resume());
    }
  }

  /** Breaks the connections that exist. */
  cut(): void {
    for (const [near] of this.#pairs.splice(0)) near.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const headersFrame = 1;

/** Whether bytes of a server hold the beginning of an answer: the status line, or a frame of headers. */
function isAnswer(bytes: Uint8Array): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.toString("latin1", 0, 5) === "HTTP/") return true;
  for (let at = 0; at + 9 <= view.length; at += 9 + view.readUIntBE(at, 3)) {
    if (view[at + 3] === headersFrame) return true;
  }
  return false;
}
