import type { BigtableTarget } from "./bigtable-url.ts";
import type { ClientOptions, DataClient, Driver } from "./driver.ts";

/** A connection to the data API. */
export interface Connection {
  readonly client: DataClient;
}

/** What a connection goes through, as the transport tells it. Source: `connectivityState` of @grpc/grpc-js. */
const ready = 2;
const shutDown = 4;

interface Channel {
  getConnectivityState(tryToConnect: boolean): number;
  watchConnectivityState(from: number, deadline: number, onChange: (error?: Error) => void): void;
}

/** Options that every client of this place is made with. */
export function clientOptions(
  driver: Driver,
  { project, emulator }: Pick<BigtableTarget, "project" | "emulator">,
): ClientOptions {
  return {
    projectId: project,
    // The library marks each connection as its own: without this, several clients share one.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    // A server that comes back is found within a second, not two minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    // Beside the library, the transport may send a call again too; a commit must be sent once.
    "grpc.enable_retries": 0,
    ...(emulator === undefined ? {} : driver.plainText(emulator)),
  };
}

/**
 * Opens that many connections. `onLost` is called whenever one that worked is gone: what answers next may be another
 * server. Rejects without usable credentials.
 */
export async function connect(
  driver: Driver,
  target: Pick<BigtableTarget, "project" | "emulator" | "channels">,
  onLost: () => void,
): Promise<readonly Connection[]> {
  const options = clientOptions(driver, target);
  const connections = Array.from({ length: target.channels }, () => ({ client: driver.dataClient(options) }));
  await Promise.all(
    connections.map(async ({ client }) => {
      const stub: unknown = await client.initialize();
      watch(channelOf(stub), onLost);
    }),
  );
  return connections;
}

/** The transport's channel below a client. */
function channelOf(stub: unknown): Channel {
  const found = stub as { getChannel(): Channel };
  return found.getChannel();
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
