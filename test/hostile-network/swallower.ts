import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A way to a server on which, from some moment on, nothing arrives any more, and that nobody closes. */
export class Swallower {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(port: number): Promise<Swallower> {
    const server = createServer();
    const swallower = new Swallower(server);
    server.on("connection", (near) => {
      const far = connect(port, "127.0.0.1");
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) {
        socket.on("error", () => {});
        swallower.#sockets.push(socket);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return swallower;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** From now on the system takes what is sent, and it goes nowhere. */
  swallow(): void {
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.resume();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
