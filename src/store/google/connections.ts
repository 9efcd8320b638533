/** What a connection goes through, as the transport tells it. Source: `connectivityState` of @grpc/grpc-js. */
const ready = 2;
const shutDown = 4;

interface Channel {
  getConnectivityState(tryToConnect: boolean): number;
  watchConnectivityState(from: number, deadline: number, onChange: (error?: Error) => void): void;
}

/** The part of a generated client that this needs: what it gives is the transport's stub. */
interface Connectable {
  initialize(): Promise<unknown>;
}

/**
 * Makes that many clients, each with a connection of its own. `onLost` is called whenever one that worked is gone: what
 * answers next may be another server.
 */
export async function openConnections<C extends Connectable>(
  make: () => C,
  count: number,
  onLost: () => void,
): Promise<readonly C[]> {
  const clients = Array.from({ length: count }, make);
  for (const client of clients) {
    const stub = (await client.initialize()) as { getChannel(): Channel };
    watch(stub.getChannel(), onLost);
  }
  return clients;
}

function watch(channel: Channel, onLost: () => void): void {
  const state = channel.getConnectivityState(false);
  if (state === shutDown) return;
  channel.watchConnectivityState(state, Infinity, (error) => {
    if (error !== undefined) return;
    if (state === ready) onLost();
    watch(channel, onLost);
  });
}
