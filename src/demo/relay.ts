import { once } from "node:events";
import { connect, createServer, type ListenOptions, type NetConnectOpts, type Socket } from "node:net";

/** How a relay is set. */
export interface RelayOptions {
  readonly listen: ListenOptions;
  /** Where a new connection leads; `null`: nowhere, it is hung up. */
  readonly target: () => NetConnectOpts | null;
  /** Called once for each connection; what it makes says of each chunk from the target whether it gets through. */
  readonly filter: () => (chunk: Buffer) => boolean;
}

/** A listener that passes bytes on, and can be told not to. */
export interface Relay {
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Breaks every connection. */
  hangUp(): void;
  close(): Promise<void>;
}

/** Opens a relay; resolves when it listens. */
export async function openRelay({ listen, target, filter }: RelayOptions): Promise<Relay> {
  const sockets = new Set<Socket>();

  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // A broken line is what this is for; both ends learn it from the close.
    socket.on("error", () => socket.destroy());
    return socket;
  };

  const join = (near: Socket): void => {
    track(near);
    const place = target();
    if (place === null) {
      near.destroy();
      return;
    }
    const far = track(connect(place));
    const passes = filter();
    near.setNoDelay(true);
    far.setNoDelay(true);
    near.pipe(far);
    far.on("data", (chunk: Buffer) => {
      if (passes(chunk)) near.write(chunk);
    });
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  };

  const listener = createServer(join).listen(listen);
  await once(listener, "listening");
  const address = listener.address();
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    hangUp,
    close: async () => {
      listener.close();
      hangUp();
      await once(listener, "close");
    },
  };
}
