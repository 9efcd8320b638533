import { GrpcCaller } from "../server/grpc-caller.ts";
import { HostileSocket, type Door, type Fate } from "./hostile-socket.ts";
import type { Target } from "./target.ts";

/** How much of everything. */
export interface Size {
  /** Connections that one attacker opens. */
  readonly connections: number;
  /** Streams that are held open at once, over several connections. */
  readonly streams: number;
  /** Readers of one run. */
  readonly watchers: number;
  /** Frames that one connection of a flood sends. */
  readonly frames: number;
}

/** What an attack has to work with. */
export interface Scene {
  /** Waits until it holds; says whether it did in time. */
  readonly comesTrue: (question: () => boolean | Promise<boolean>) => Promise<boolean>;
  readonly target: Target;
  readonly size: Size;
  /** A good credential: the attackers' own, and not that of the probe. */
  readonly token: string;
}

/** What an attack came to. */
export interface Outcome {
  readonly connections: number;
  /** How many connections, streams or calls ended how. */
  readonly fates: Readonly<Record<string, number>>;
  /** What the server should have done and has not; empty: it held. */
  readonly violations: readonly string[];
}

/** One way to harm a server over the network, and what the server has to do about it. */
export interface Attack {
  readonly name: string;
  /** What is done, in a few words. */
  readonly what: string;
  /** What the server does about it, and by which setting. */
  readonly defence: string;
  /** Settings of the server, beside those of all attacks. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly tls?: boolean;
  /** How many bytes of memory the server may grow by, at most. Generous: it bounds, it does not measure. */
  readonly mayGrowBy: number;
  readonly run: (scene: Scene) => Promise<Outcome>;
}

/** Bytes in a mebibyte. */
export const mebibyte: number = 1024 ** 2;

/** Waits until it holds; says whether it did within so many milliseconds. */
export async function comesTrue(question: () => boolean | Promise<boolean>, patienceMs: number): Promise<boolean> {
  for (const until = performance.now() + patienceMs; performance.now() < until;) {
    if (await question()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** Opens so many connections, a hundred at a time, as a listen queue takes them. */
export async function openSockets(door: Door, count: number): Promise<readonly HostileSocket[]> {
  const sockets: HostileSocket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, () => new HostileSocket(door));
    await Promise.all(some.map((socket) => socket.opened()));
    sockets.push(...some);
  }
  return sockets;
}

/** Counts what happened how often. */
export function tally(names: Iterable<string>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Waits for the server to end all connections; then it is `ended` that must be the fate of each. */
export async function allEnd(
  scene: Scene,
  sockets: readonly HostileSocket[],
  allowed: (fate: Fate) => boolean = (fate) => fate !== "open",
): Promise<Outcome> {
  await scene.comesTrue(() => sockets.every(({ fate }) => fate !== "open"));
  const fates = tally(sockets.map(({ fate }) => fate));
  for (const socket of sockets) socket.leave();
  const wrong = Object.entries(fates).filter(([fate]) => !allowed(fate as Fate));
  return {
    connections: sockets.length,
    fates,
    violations: wrong.map(([fate, count]) => `${count} of ${sockets.length} connections: ${fate}`),
  };
}

/** A client of the attackers: foreign, with a credential, on a connection of its own. */
export function callerOf({ target }: Scene, options: object = {}): GrpcCaller {
  return new GrpcCaller(`127.0.0.1:${target.port}`, undefined, { "grpc.use_local_subchannel_pool": 1, ...options });
}

/** The credential as a header. */
export const bearer = ({ token }: Scene): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });
