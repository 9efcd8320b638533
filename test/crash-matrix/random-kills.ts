import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../../bench/server-process.ts";
import type { Tally } from "../../bench/soak/tally.ts";
import type { Random } from "../../src/testing/random.ts";
import { freePort } from "../postgres/loopback-port.ts";
import { nameOfVictim, victimsOf } from "./blow.ts";
import { Load } from "./load.ts";
import type { Place } from "./places/place.ts";
import { admission, killsToken } from "./server/tenants.ts";

/** How to kill at random. */
export interface RandomKillsOptions {
  readonly place: Place;
  /** The command line program, as it is delivered. */
  readonly program: string;
  readonly kills: number;
  readonly clients: number;
  readonly random: Random;
  readonly tally: Tally;
  /** Told of every kill. */
  readonly onCrash?: ((what: string) => void) | undefined;
}

/** The longest that a server lives after its clients have had answers, in milliseconds. */
const longestLifeMs = 250;

/** Kills the `tape serve` that everybody runs, and its database, under load and at any moment. */
export async function killAtRandom(options: RandomKillsOptions): Promise<void> {
  const { place, program, kills, clients, random, tally, onCrash } = options;
  const port = await freePort();
  const start = () => startServer(program, place.storeUrl, port, { ...admission, ...place.env });
  let server = await start();
  const load = new Load({ port, clients, random: random.fork(), tally, token: killsToken });
  try {
    for (let done = 0; done < kills; done += 1) {
      await load.worked();
      await sleep(random.int(longestLifeMs));
      const victim = random.pick(victimsOf(place));
      if (victim.kind === "server") {
        await server.stop("SIGKILL");
        server = await start();
      } else {
        await victim.outage.strike();
      }
      tally.count("crashes");
      tally.count("crashes at any moment");
      onCrash?.(`${nameOfVictim(victim)} at any moment`);
    }
    await load.finish();
    await server.stop("SIGKILL");
    server = await start();
    await load.check();
  } finally {
    await load.close();
    await server.stop("SIGKILL");
  }
}
