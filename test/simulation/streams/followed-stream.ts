import type { Network } from "../world/network.ts";
import type { World } from "../world/world.ts";
import type { Tape } from "../../../src/model/tape.ts";

/** Follows something through one server after the other. */
export interface Follower<T> {
  readonly name: string;
  /** Begins anew, from where it was or from elsewhere; `null`: there is nothing to follow now. */
  open(tape: Tape, signal: AbortSignal): AsyncIterable<T> | null;
  take(item: T): void;
  /** The server has ended the stream by itself, without an error. */
  ended(): void;
}

/** How long a slow reader looks at what it got, and how long it stays away. */
const slowMs = 3000;
const awayMs = 2000;

/** Reads a stream for ever: goes away in the middle, reads slowly, and comes back when its server has crashed. */
export async function follow<T>(world: World, network: Network, follower: Follower<T>): Promise<void> {
  for (;;) {
    const server = network.connect();
    const leave = new AbortController();
    const gone = new Promise<null>((resolve) => {
      if (!server.alive) resolve(null);
      server.onCrash.add(() => {
        resolve(null);
      });
    });
    try {
      const items = follower.open(network.tapeOf(server), leave.signal);
      if (items !== null) {
        world.tell(() => `-> ${server.name}: ${follower.name} subscribes`);
        await readAll(world, network, follower, items[Symbol.asyncIterator](), gone);
      }
    } catch {
      // The store was away: from where it was, another time.
    }
    if (server.alive) leave.abort();
    await network.sleep(world.random.int(awayMs));
  }
}

async function readAll<T>(
  world: World,
  network: Network,
  follower: Follower<T>,
  stream: AsyncIterator<T>,
  gone: Promise<null>,
): Promise<void> {
  for (;;) {
    const result = await Promise.race([stream.next(), gone]);
    if (result === null) return;
    if (result.done === true) {
      follower.ended();
      return;
    }
    follower.take(result.value);
    // Now and then a reader goes away in the middle.
    if (world.faults.happens("actor-death")) return;
    if (!world.calm && world.random.chance(0.2)) await network.sleep(world.random.int(slowMs));
  }
}
