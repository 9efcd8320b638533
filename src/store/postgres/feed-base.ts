import type { Session } from "./connections.ts";
import { quoteIdentifier } from "./schema.ts";
import { ordinalBits } from "./statements.ts";

/**
 * Room left when a journal has moved to another database, in transactions: positions that were given out after the copy
 * was taken are not given again, unless more transactions than that have passed. It fits 2,048 times.
 */
const margin = 2 ** 30;

/** Whether the numbers that positions are made of are at home here, and the server by its name. */
interface Home {
  readonly isHere: boolean;
  /** Its system identifier; empty where a managed service does not show it to this role. */
  readonly cluster: string;
}

/**
 * Makes sure of the base within the session's transaction; on every opening. Resolves to whether it was raised.
 * Errors: the driver's own.
 */
export async function checkBase(session: Session, schema: string): Promise<boolean> {
  const home = await homeOf(session, schema);
  if (!home.isHere) return raiseBase(session, schema);
  await record(session, schema, home.cluster);
  return false;
}

/**
 * Makes positions go on rising in a database whose transactions have other numbers than those the journal was written
 * with: a restored dump, a new cluster. Does nothing when the numbers are at home. Safe when several processes call it.
 * Resolves to whether this call did it. Errors: the driver's own.
 */
export async function raiseBase(session: Session, schema: string): Promise<boolean> {
  const table = tablesOf(schema);
  // Waits for appends under way and keeps others out: with the old base they could end up behind a reader.
  await session.query(`lock table ${table("tape_rows")}, ${table("tape_entries")} in share row exclusive mode`);
  const home = await homeOf(session, schema);
  if (home.isHere) return false;
  await session.query(`
    update ${table("tape_meta")} feed set value = (
      with now as (select pg_current_xact_id()::text::bigint as xact)
      select greatest(
          coalesce((select max(position) from ${table("tape_entries")}), 0) >> ${ordinalBits},
          top.value::bigint,
          feed.value::bigint + xact
        ) + ${margin} - xact
      from now, ${table("tape_meta")} top where top.name = 'feed_top')
    where feed.name = 'feed'`);
  await session.query(`
    update ${table("tape_meta")}
    set value = tableoid::text || '/' || (pg_current_xact_id()::text::numeric % 4294967296)::text
    where name = 'feed_home'`);
  await session.query(`update ${table("tape_meta")} set value = $1 where name = 'cluster'`, [home.cluster]);
  await record(session, schema, home.cluster);
  return true;
}

/**
 * Writes down what a copy of the journal must know: how high positions have risen, which the entries do not tell once
 * they are trimmed, and on which server. Errors: the driver's own.
 */
async function record(session: Session, schema: string, cluster: string): Promise<void> {
  const meta = tablesOf(schema)("tape_meta");
  await session.query(`
    update ${meta} top
    set value = greatest(top.value::bigint, feed.value::bigint + pg_current_xact_id()::text::bigint)::text
    from ${meta} feed where top.name = 'feed_top' and feed.name = 'feed'`);
  await session.query(`update ${meta} set value = $1 where name = 'cluster' and value = ''`, [cluster]);
}

/**
 * The server's identifier is a check beside the one that every statement makes: a dump restored by the same steps on a new
 * server might by chance have the same numbers. Who may not see it on either side goes without.
 */
async function homeOf(session: Session, schema: string): Promise<Home> {
  const cluster = await clusterOf(session);
  const meta = tablesOf(schema)("tape_meta");
  const [line] = await session.query(
    `select home.value = home.tableoid::text || '/' || home.xmin::text, cluster.value in ('', $1) or $1 = ''
     from ${meta} home, ${meta} cluster where home.name = 'feed_home' and cluster.name = 'cluster'`,
    [cluster],
  );
  return { isHere: line?.[0] === true && line[1] === true, cluster };
}

async function clusterOf(session: Session): Promise<string> {
  const [may] = await session.query("select has_function_privilege('pg_control_system()', 'execute')");
  if (may?.[0] !== true) return "";
  const [line] = await session.query("select system_identifier::text from pg_control_system()");
  return typeof line?.[0] === "string" ? line[0] : "";
}

const tablesOf =
  (schema: string) =>
  (name: string): string =>
    `${quoteIdentifier(schema)}.${name}`;
