import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { replyDetector } from "./reply-detector.ts";

/** A cable between one program and the server: it stays when the server dies, and it can lose an answer on purpose. */
export interface Line {
  /** Where the program connects to. */
  readonly port: number;
  /** Leads to the server on this port from now on. */
  plug(serverPort: number): void;
  /**
   * From now on nothing the server says gets through. Resolves when the server has answered the call that is made
   * next: it has done what was asked, and the program will never hear of it.
   */
  loseNextAnswer(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a line on a free port; connections are refused by hanging up until it is plugged in. */
export async function openLine(): Promise<Line> {
  const sockets = new Set<Socket>();
  let serverPort = 0;
  let losing: (() => void) | null = null;

  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // A broken line is what this is for; both ends learn it from the close.
    socket.on("error", () => socket.destroy());
    return socket;
  };

  const join = (program: Socket): void => {
    track(program);
    if (serverPort === 0) {
      program.destroy();
      return;
    }
    const server = track(connect(serverPort, "127.0.0.1"));
    const isReply = replyDetector();
    program.setNoDelay(true);
    server.setNoDelay(true);
    program.pipe(server);
    server.on("data", (chunk: Buffer) => {
      const replied = isReply(chunk);
      if (losing === null) program.write(chunk);
      else if (replied) losing();
    });
    program.once("close", () => server.destroy());
    server.once("close", () => program.destroy());
  };

  const listener = createServer(join).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address: AddressInfo | string | null = listener.address();
  if (address === null || typeof address === "string") throw new Error("the line has no port");

  return {
    port: address.port,
    plug: (port) => {
      serverPort = port;
    },
    loseNextAnswer: () =>
      new Promise((resolve) => {
        losing = () => {
          losing = null;
          serverPort = 0;
          for (const socket of sockets) socket.destroy();
          resolve();
        };
      }),
    close: async () => {
      listener.close();
      for (const socket of sockets) socket.destroy();
      await once(listener, "close");
    },
  };
}
