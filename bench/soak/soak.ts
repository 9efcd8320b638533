import { toTapeError } from "../../src/errors.ts";
import { seededRandom, type Random } from "../../src/testing/random.ts";
import { makePlace, type Host, type Place } from "../postgres-place.ts";
import { agent } from "./agent.ts";
import { Caller } from "./caller.ts";
import { check } from "./check.ts";
import { dispatcher } from "./dispatcher.ts";
import { endKey, follow, type Followed } from "./follower.ts";
import { kill, type Kill } from "./killer.ts";
import { Ledger } from "./ledger.ts";
import { namespace, type Actor, type Scene } from "./scene.ts";
import { Servers } from "./servers.ts";
import { Tally } from "./tally.ts";

/** What a soak needs to be told. */
export interface SoakOptions {
  readonly host: Host;
  /** The command line program, compiled. */
  readonly program: string;
  readonly clients: number;
  /** Chooses what is killed and what clients do; when it happens is as random as the load. */
  readonly seed: number;
  /** When to kill what; at the end of it the clients finish what they have begun. */
  readonly kills: (tally: Tally) => AsyncGenerator<Kill, void>;
  /** Told what was killed. */
  readonly onKill?: (what: string) => void;
}

const serverCount = 2;
const followerCount = 2;
/** The shortest that the server gives. */
const leaseMs = 1_000;
/** For the feed to bring what is committed already. */
const feedPatienceMs = 120_000;

/** Two servers on one database, many clients, and something is killed now and then; the invariants are checked. */
export async function soak(options: SoakOptions): Promise<Tally> {
  const random = seededRandom(options.seed);
  const tally = new Tally();
  const place = await makePlace(options.host.url, `soak_${options.seed}_${process.pid}`);
  let servers: Servers | undefined;
  try {
    servers = await Servers.open(options.program, `${place.storeUrl}&application_name=${place.schema}`, serverCount);
    await run(options, place, servers, random, tally);
    return tally;
  } finally {
    await servers?.close();
    await place.drop();
  }
}

async function run(
  { host, clients, kills, onKill }: SoakOptions,
  place: Place,
  servers: Servers,
  random: Random,
  tally: Tally,
): Promise<void> {
  let over = false;
  const scene: Scene = { tally, ledger: new Ledger(tally), leaseMs, isOver: () => over };
  const callers: Caller[] = [];
  const newCaller = (name: string): Caller => {
    const caller = new Caller(name, servers.ports, random.fork(), tally);
    callers.push(caller);
    return caller;
  };
  const giveUp = new AbortController();
  try {
    const feeds = names("follower", followerCount).map((name) => follow(newCaller(name), tally, giveUp.signal));
    const dispatchers = Math.ceil(clients / 8);
    const acting = [
      ...names("dispatcher", dispatchers).map((name) => act(dispatcher, { ...scene, caller: newCaller(name) })),
      ...names("agent", clients - dispatchers).map((name) => act(agent, { ...scene, caller: newCaller(name) })),
    ];
    const allLeft = Promise.all(acting).then((): IteratorReturnResult<void> => ({ done: true, value: undefined }));
    const plan = kills(tally);
    for (;;) {
      // When every client has failed nothing more will be acknowledged.
      const next = await Promise.race([plan.next(), allLeft]);
      if (next.done === true) break;
      const killed = await kill(next.value, { host, place, servers, random, tally });
      onKill?.(killed);
    }
    over = true;
    await allLeft;
    const last = newCaller("last");
    await last.call((tape) => tape.writeValue({ namespace, key: endKey, valueJson: "true" }));
    const followed = await within(feeds, giveUp);
    // The last look is through servers that have seen none of it.
    await Promise.all(servers.ports.map((port) => servers.restart(port)));
    await check(newCaller("auditor"), scene, followed);
  } finally {
    over = true;
    giveUp.abort();
    await Promise.all(callers.map((caller) => caller.close()));
  }
}

const names = (role: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${role}-${i + 1}`);

async function act(life: (actor: Actor) => Promise<void>, actor: Actor): Promise<void> {
  try {
    await life(actor);
  } catch (error) {
    const { reason, message } = toTapeError(error);
    actor.tally.violation("call failed", `${actor.caller.name}: ${reason}: ${message}`);
  }
}

async function within(feeds: readonly Promise<Followed>[], giveUp: AbortController): Promise<readonly Followed[]> {
  const timer = setTimeout(() => giveUp.abort(), feedPatienceMs);
  try {
    return await Promise.all(feeds);
  } finally {
    clearTimeout(timer);
  }
}
