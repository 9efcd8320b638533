import type { Client } from "pg";
import { embedded, overGrpc, type Contender } from "./contender.ts";
import { parentOf } from "./cpu.ts";
import type { Field } from "./field.ts";
import { sampleLine, type SampleLine } from "./append-script.ts";
import { findPgbench, pgbench } from "./pgbench.ts";
import { makePlace, openHost, type Place } from "./postgres-place.ts";
import { openAgent } from "./steps.ts";
import { openTape } from "tape-journal";

const batch = { name: "pgbench ×64", rowsPerStatement: 64, clients: 4 } as const;
const single = { name: "pgbench ×1", rowsPerStatement: 1, clients: 8 } as const;

/** PostgreSQL beside pgbench on the same server; without a URL on a server of our own. */
export async function postgresField(url: string | undefined): Promise<Field> {
  findPgbench();
  const cleanUps: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  };
  try {
    const host = await openHost(url);
    cleanUps.push(() => host.close());
    const place = async (name: string): Promise<Place> => {
      const made = await makePlace(host.url, `bench_${name}_${process.pid}`);
      cleanUps.push(() => made.drop());
      return made;
    };
    const bare = await place("pgbench");
    const observer = await bare.connect();
    cleanUps.push(() => observer.end());
    const line = await sample(bare, observer);
    const databasePid = await postmasterOf(observer);
    const shared = { place: bare, line, databasePid, observer };
    const contenders: Contender[] = [
      pgbench({ ...batch, ...shared }),
      pgbench({ ...single, ...shared }),
      await embedded((await place("embedded")).storeUrl, databasePid),
      await overGrpc((await place("served")).storeUrl, databasePid),
    ];
    return {
      setting: [
        await setting(observer),
        `head ${line.head.length}, meta ${line.meta.length}, body ${line.body.length / 2} bytes`,
      ],
      contenders,
      ratios: [
        { title: "of ×64", contender: batch.name, concurrency: batch.clients, form: "percent" },
        { title: "over ×1", contender: single.name, concurrency: single.clients, form: "times" },
      ],
      notes: `"pgbench ×64" runs the store's own append statement with 64 rows on 4 connections, "pgbench ×1" the same with one row
on 8: one commit a call. They send no payload, the server makes it. Their commits are those found in the table; their
p50 and p99 are of a statement, and "runs" are their connections. "of ×64" and "over ×1" compare commits with commits.`,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What Tape writes for a run in the middle of its work; leaves the tables empty but for that. */
async function sample(place: Place, observer: Client): Promise<SampleLine> {
  const tape = await openTape(place.storeUrl);
  try {
    const agent = openAgent(tape, "sample");
    for (let steps = 0; steps < 5; steps += 1) await agent.step();
    return await sampleLine(observer, place.schema);
  } finally {
    await tape.close();
  }
}

async function setting(observer: Client): Promise<string> {
  const names = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
  ];
  const { rows } = await observer.query<{ name: string; value: string }>(
    "select name, current_setting(name) as value from unnest($1::text[]) with ordinality as s (name, n) order by n",
    [names],
  );
  const said = `PostgreSQL ${rows
    .map(({ name, value }) => `${name}=${value}`)
    .join(", ")
    .replace("server_version=", "")}`;
  const isDurable = rows.every(({ name, value }) => name !== "fsync" || value === "on");
  return isDurable
    ? said
    : `${said}\nNOT DURABLE: with fsync=off these are no figures of commits; set it to on and restart`;
}

/** The server's main process, where it runs on this machine. */
async function postmasterOf(observer: Client): Promise<number | undefined> {
  const { rows } = await observer.query<{ pid: number; near: boolean }>(
    "select pg_backend_pid() as pid, coalesce(host(inet_server_addr()) in ('127.0.0.1', '::1'), true) as near",
  );
  const [backend] = rows;
  return backend?.near === true ? parentOf(backend.pid) : undefined;
}
