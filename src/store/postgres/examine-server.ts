import { type Finding, fail, ok, untold, warn } from "../../model/finding.ts";
import type { StoreCheckId, StoreExamination } from "../examination.ts";
import { Connections, type Session } from "./connections.ts";
import { postgresFailure } from "./postgres-failure.ts";
import { parsePostgresUrl, type PostgresTarget } from "./postgres-url.ts";
import { psqlCommand } from "./psql-command.ts";
import { oldestVersion, quoteIdentifier } from "./schema.ts";
import { endPreparedText, endSessionText, preparedText, sessionText } from "./transaction-holders.ts";

type Found = Finding<StoreCheckId>;
type Text = (name: string) => string;

const factsText = `
select current_setting('server_version'), current_setting('server_version_num'), pg_is_in_recovery(),
  current_setting('transaction_read_only'), current_setting('fsync'), current_setting('full_page_writes'),
  current_setting('synchronous_commit'), pg_backend_pid(), current_setting('max_connections'),
  current_setting('superuser_reserved_connections'),
  (select count(*) from pg_stat_activity where backend_type = 'client backend'),
  extract(epoch from clock_timestamp()) * 1000`;
const factNames = [
  "version",
  "number",
  "replica",
  "readOnly",
  "fsync",
  "fullPages",
  "synchronous",
  "process",
  "connections",
  "reserved",
  "used",
  "clock",
] as const;

/**
 * Transactions that are open, oldest first. One that has written (it has a number) holds up the feed; one that only reads
 * keeps old row versions from being removed, so that tables grow and scans slow down. Since when the transaction of
 * another role is open shows only with pg_read_all_stats.
 */
const holdersText = `
select kind, who, round(seconds), writes, ending from (
  select 'session' as kind, ${sessionText} as who,
    extract(epoch from clock_timestamp() - xact_start) as seconds,
    backend_xid is not null as writes, ${endSessionText} as ending
  from pg_stat_activity
  where pid <> pg_backend_pid() and (backend_xid is not null or xact_start is not null)
    and coalesce(backend_type, 'client backend') = 'client backend'
  union all
  select 'prepared', ${preparedText}, extract(epoch from clock_timestamp() - prepared), true, ${endPreparedText}
  from pg_prepared_xacts
  union all
  select 'slot', 'replication slot ' || slot_name || case when active then '' else ' (nobody reads it)' end,
    null, false, 'select pg_drop_replication_slot(' || quote_literal(slot_name) || ')'
  from pg_replication_slots where not active and (xmin is not null or catalog_xmin is not null)
) holders order by seconds desc nulls last limit 5`;

/** How long a transaction may be open, seconds. */
interface Patience {
  /** One that writes longer is not one that is just about to end. */
  readonly feedHeldS: number;
  /** One that writes for so long will not end by itself. */
  readonly feedStandsS: number;
  /** Vacuum can wait for so long. */
  readonly vacuumHeldS: number;
}

const patient: Patience = { feedHeldS: 5, feedStandsS: 60, vacuumHeldS: 300 };

/** How an examination is set; the defaults are for people. */
export interface ServerSeams {
  /** This machine's clock, milliseconds since 1970. */
  readonly now?: () => number;
  readonly patience?: Patience;
}

interface Scene {
  readonly target: PostgresTarget;
  readonly now: () => number;
  readonly patience: Patience;
}

/** Leases and timers go by the server's clocks, seconds apart; a second is what people would notice. */
const clockWarnMs = 1000;
const clockFailMs = 30_000;

/** What there is to say of a PostgreSQL server that holds, or is to hold, a journal. Errors: STORE_URL_INVALID. */
export function examinePostgres(
  url: string,
  { now = Date.now, patience = patient }: ServerSeams = {},
): StoreExamination {
  const scene = { target: parsePostgresUrl(url), now, patience };
  return {
    place: (signal) => looking(scene, signal, place),
    journal: async function* () {},
    live: (signal) => looking(scene, signal, holders),
  };
}

async function* looking(
  scene: Scene,
  signal: AbortSignal,
  look: (session: Session, scene: Scene) => Promise<readonly Found[]>,
): AsyncIterable<Found> {
  const { target } = scene;
  const connections = new Connections({ ...target, poolSize: 1 });
  try {
    if (signal.aborted) return;
    yield* await connections.session((session) => look(session, scene));
  } catch (error) {
    const { message } = postgresFailure(error, `looking at ${connections.place}`, "opening");
    yield fail("postgres.server", message, [psqlCommand(target, "select 1")]);
  } finally {
    await connections.close();
  }
}

async function place(session: Session, scene: Scene): Promise<readonly Found[]> {
  const { target, now } = scene;
  const before = now();
  const [line = []] = await session.query(factsText);
  const tripMs = now() - before;
  const fact: Text = (name) => String(line[factNames.findIndex((known) => known === name)]);
  return [
    server(fact, target),
    primary(fact),
    durability(fact, target),
    pooler(session, fact, target),
    freeConnections(fact, target),
    clock(Number(fact("clock")), before, tripMs),
    ...(await holders(session, scene)),
  ];
}

function server(fact: Text, target: PostgresTarget): Found {
  const says = `PostgreSQL ${fact("version")}`;
  return Number(fact("number")) < oldestVersion * 10_000
    ? fail("postgres.server", `${says}: Tape needs ${oldestVersion} or newer`, ["# upgrade the server"])
    : ok("postgres.server", `${says}, as ${target.kind}`);
}

function primary(fact: Text): Found {
  if (fact("replica") === "true") {
    return fail("postgres.primary", "it is a replica, which only reads", ["# name the primary in the store URL"]);
  }
  return fact("readOnly") === "on"
    ? fail("postgres.primary", "its transactions are read-only (default_transaction_read_only)", [
        "alter database ... set default_transaction_read_only = off   -- in psql",
      ])
    : ok("postgres.primary", "it is the primary, and takes writes");
}

function durability(fact: Text, target: PostgresTarget): Found {
  const lost = "a crash may lose what was acknowledged, so an act that was done may be done again";
  const reload = (setting: string): string[] => [
    psqlCommand(target, `alter system set ${setting} = on`),
    psqlCommand(target, "select pg_reload_conf()"),
  ];
  if (fact("fsync") !== "on") return fail("postgres.durability", `fsync is off: ${lost}`, reload("fsync"));
  const synchronous = fact("synchronous");
  if (fact("fullPages") !== "on") {
    return warn(
      "postgres.durability",
      "full_page_writes is off: a power failure may damage pages, unless the file system writes whole pages",
      reload("full_page_writes"),
    );
  }
  const own = synchronous === "off" ? "off, and on for Tape's own commits" : synchronous;
  return ok("postgres.durability", `fsync and full_page_writes on, synchronous_commit ${own}`);
}

/** Behind a pooler the number that the connection was given is the pooler's own. */
function pooler(session: Session, fact: Text, target: PostgresTarget): Found {
  const isPooled = session.processId !== undefined && String(session.processId) !== fact("process");
  if (isPooled && !target.pgbouncer) {
    return fail(
      "postgres.pooler",
      "a pooler stands in between, and the store URL does not say so: prepared statements and LISTEN fail as soon as it changes the server connection",
      ["# add pgbouncer=true to the parameters of the store URL"],
    );
  }
  if (!isPooled && target.pgbouncer) {
    return warn(
      "postgres.pooler",
      "the store URL has pgbouncer=true, and no pooler is there: statements are planned anew each time, and commits of other servers are noticed later",
      ["# take pgbouncer=true out of the store URL"],
    );
  }
  return ok("postgres.pooler", isPooled ? "a pooler, as the store URL says" : "none");
}

function freeConnections(fact: Text, { poolSize }: PostgresTarget): Found {
  const most = Number(fact("connections")) - Number(fact("reserved"));
  // This one goes when the server comes.
  const left = most - Number(fact("used")) + 1;
  const says = `${left} of ${most} connections are free, and a server's pool takes up to ${poolSize + 1}`;
  return left > poolSize
    ? ok("postgres.connections", says)
    : warn("postgres.connections", says, [
        "# lower pool_size in the store URL, or raise max_connections on the server",
      ]);
}

function clock(serverMs: number, before: number, tripMs: number): Found {
  const offMs = before + tripMs / 2 - serverMs;
  const certainMs = Math.max(0, Math.abs(offMs) - tripMs / 2);
  const says = `this machine's clock is ${Math.round(Math.abs(offMs))} ms ${offMs < 0 ? "behind" : "ahead of"} the database's`;
  const mend = ["timedatectl status   # turn on NTP, here and there"];
  if (certainMs > clockFailMs) return fail("store.clock", `${says}: leases and timers go by it`, mend);
  return certainMs > clockWarnMs
    ? warn("store.clock", `${says}: leases and timers go by it`, mend)
    : ok("store.clock", says);
}

const horizon = "postgres.horizon";

/** Who keeps the feed, or vacuum, from going on. */
async function holders(session: Session, { target, patience }: Scene): Promise<readonly Found[]> {
  const lines = await session.query(holdersText);
  const found = lines.map(([kind, who, seconds, writes, ending]) => ({
    kind: String(kind),
    who: String(who),
    seconds: seconds === null ? undefined : Number(seconds),
    writes: writes === true,
    mend: [psqlCommand(target, String(ending))],
  }));
  const findings = found.flatMap((holder) => complaints(holder, patience));
  if (findings.length > 0) return findings;
  const hidden = found.find(({ kind, writes, seconds }) => kind === "session" && writes && seconds === undefined);
  if (hidden === undefined) return [ok(horizon, "no transaction has been open for long")];
  return [
    untold(horizon, `${hidden.who} is in a transaction, and since when this role may not see`, [
      psqlCommand(target, `grant pg_read_all_stats to ${quoteIdentifier(target.user ?? "...")}`),
    ]),
  ];
}

interface Holder {
  readonly kind: string;
  readonly who: string;
  readonly seconds: number | undefined;
  readonly writes: boolean;
  readonly mend: readonly string[];
}

function complaints({ kind, who, seconds, writes, mend }: Holder, patience: Patience): Found[] {
  if (kind === "slot") return [warn(horizon, `${who}: old row versions cannot be removed, and the tables grow`, mend)];
  if (seconds === undefined) return [];
  const open = `${who} has been open for ${seconds} s`;
  if (writes && seconds >= patience.feedStandsS)
    return [fail(horizon, `${open}: the feed stands still, nothing newer is delivered until it ends`, mend)];
  if (writes && seconds >= patience.feedHeldS)
    return [warn(horizon, `${open}: nothing newer is delivered in the feed until it ends`, mend)];
  if (seconds >= patience.vacuumHeldS)
    return [warn(horizon, `${open}: old row versions cannot be removed, and the tables grow`, mend)];
  return [];
}
