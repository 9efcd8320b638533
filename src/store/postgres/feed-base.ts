import type { Session } from "./connections.ts";
import { quoteIdentifier } from "./schema.ts";
import { ordinalBits } from "./statements.ts";

/**
 * Room left when a journal has moved to another database, in transactions: positions that were given out after the copy
 * was taken are not given again, unless more transactions than that have passed. It fits 2,048 times.
 */
const margin = 2 ** 30;

/**
 * Makes positions go on rising in a database whose transactions have other numbers than those the journal was written
 * with: a restored dump, a new cluster. Does nothing when the numbers are at home. Safe when several processes call it.
 * Errors: the driver's own.
 */
export async function raiseBase(session: Session, schema: string): Promise<void> {
  const table = (name: string): string => `${quoteIdentifier(schema)}.${name}`;
  // Waits for appends under way and keeps others out: with the old base they could end up behind a reader.
  await session.query(`lock table ${table("tape_rows")}, ${table("tape_entries")} in share row exclusive mode`);
  if (await isAtHome(session, schema)) return;
  await session.query(`
    update ${table("tape_meta")} set value = (
      with now as (select pg_current_xact_id()::text::bigint as xact)
      select greatest(coalesce((select max(position) from ${table("tape_entries")}), 0) >> ${ordinalBits}, value::bigint + xact)
        + ${margin} - xact
      from now)
    where name = 'feed'`);
  await session.query(`
    update ${table("tape_meta")}
    set value = tableoid::text || '/' || (pg_current_xact_id()::text::numeric % 4294967296)::text
    where name = 'feed_home'`);
  await session.query(`update ${table("tape_meta")} set value = ${clusterText} where name = 'cluster'`);
}

/**
 * The server's system identifier; empty where a managed service does not show it. A check beside the one that every
 * statement makes: a dump restored by the same steps on a new server might by chance have the same numbers.
 */
const clusterText = `case when has_function_privilege('pg_control_system()', 'execute')
  then (select system_identifier::text from pg_control_system()) else '' end`;

/** Raises the base if need be, within the session's transaction; on every opening. Errors: the driver's own. */
export async function checkBase(session: Session, schema: string): Promise<void> {
  if (!(await isAtHome(session, schema))) await raiseBase(session, schema);
}

async function isAtHome(session: Session, schema: string): Promise<boolean> {
  const meta = `${quoteIdentifier(schema)}.tape_meta`;
  const [line] = await session.query(`
    select home.value = home.tableoid::text || '/' || home.xmin::text, cluster.value = ${clusterText}
    from ${meta} home, ${meta} cluster where home.name = 'feed_home' and cluster.name = 'cluster'`);
  return line?.[0] === true && line[1] === true;
}
