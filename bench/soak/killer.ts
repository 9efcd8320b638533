import { setTimeout as sleep } from "node:timers/promises";
import { quoteIdentifier } from "../../src/store/postgres/schema.ts";
import type { Random } from "../../src/testing/random.ts";
import type { Host, Place } from "../postgres-place.ts";
import type { Servers } from "./servers.ts";
import type { Tally } from "./tally.ts";

/** What can be killed, and who chooses. */
export interface Victims {
  readonly host: Host;
  readonly place: Place;
  readonly servers: Servers;
  readonly random: Random;
  readonly tally: Tally;
}

/** The longest that a killed database stays away. */
const longestOutageMs = 1_500;
/** Long enough for every client's next call to reach its server. */
const lockedMs = 50;

/** What is to be killed. */
export type Kill = "server" | "connections" | "database" | "any";

/** Kills something and brings it up again; gives what it was. */
export async function kill(which: Kill, victims: Victims): Promise<string> {
  const { host, random } = victims;
  switch (which) {
    case "server":
      return killServer(victims);
    case "connections":
      return terminateBackends(victims);
    case "database":
      // A server that is somebody else's only loses its connections.
      return host.restart === undefined ? terminateBackends(victims) : killDatabase(victims, host.restart);
    case "any":
      return kill(random.pick(["server", "server", "connections", "database"]), victims);
  }
}

async function killServer({ servers, random, tally }: Victims): Promise<string> {
  const port = random.pick(servers.ports);
  await servers.restart(port);
  tally.count("kills: tape serve");
  return `tape serve on port ${port}`;
}

async function terminateBackends({ place, random, tally }: Victims): Promise<string> {
  const client = await place.connect();
  try {
    const { rows } = await client.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = $1 order by pid",
      [place.schema],
    );
    const pids = random.shuffle(rows.map(({ pid }) => pid)).slice(0, 1 + random.int(rows.length + 1));
    await client.query("select pg_terminate_backend(pid) from unnest($1::int[]) as chosen (pid)", [pids]);
    tally.count("kills: database connections");
    tally.count("database connections ended", pids.length);
    return `${pids.length} of ${rows.length} database connections`;
  } finally {
    await client.end();
  }
}

async function killDatabase({ place, random, tally }: Victims, restart: NonNullable<Host["restart"]>): Promise<string> {
  // Nothing can be committed while this lock is held: a server that acknowledges before it commits is found out.
  const intruder = await place.connect();
  if (random.chance(0.5)) {
    await intruder.query(`begin; lock table ${quoteIdentifier(place.schema)}.tape_entries in exclusive mode`);
    await sleep(lockedMs);
  }
  const outageMs = random.int(longestOutageMs);
  await restart(async () => {
    await sleep(outageMs);
  });
  await intruder.end().catch(() => undefined);
  tally.count("kills: database server");
  return `the database server, away for ${outageMs} ms`;
}
