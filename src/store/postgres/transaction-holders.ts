/*
 * How people are told of a transaction, and the statement that ends it: SQL expressions over lines of `pg_stat_activity` and
 * `pg_prepared_xacts`. Every role sees these columns; what a session of another role is about, only with
 * pg_read_all_stats.
 */

/** A session: `process 17 (role tape, database journal, application 'psql', idle in transaction)`. */
export const sessionText = `'process ' || pid || ' (role ' || coalesce(usename, '?') || ', database ' || coalesce(datname, '?') ||
  case when application_name = '' then '' else ', application ' || quote_literal(application_name) end ||
  coalesce(', ' || state, '') || ')'`;
export const endSessionText = "'select pg_terminate_backend(' || pid || ')'";

/** A prepared transaction: `prepared transaction 'x' (role tape, database journal)`. */
export const preparedText =
  "'prepared transaction ' || quote_literal(gid) || ' (role ' || owner || ', database ' || database || ')'";
export const endPreparedText = "'rollback prepared ' || quote_literal(gid)";
