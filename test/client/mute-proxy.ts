import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Passes bytes on, until it is told to swallow those of the connections it has: then they look alive and are dead. */
export class MuteProxy {
  readonly #server: Server;
  #pairs: [Socket, Socket][] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  /** A proxy on a free port before a server. */
  static async to(server: { readonly url: string }): Promise<MuteProxy> {
    const port = Number(new URL(server.url).port);
    const listener = createServer();
    const proxy = new MuteProxy(listener);
    listener.on("connection", (near) => {
      const far = connect(port, "127.0.0.1");
      near.on("error", () => far.destroy()).on("close", () => far.destroy());
      far.on("error", () => near.destroy()).on("close", () => near.destroy());
      near.pipe(far);
      far.pipe(near);
      proxy.#pairs.push([near, far]);
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return proxy;
  }

  get url(): string {
    return `tape://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Nothing passes any more on the connections that exist. */
  mute(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far);
      far.unpipe(near);
      near.resume();
      far.resume();
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
