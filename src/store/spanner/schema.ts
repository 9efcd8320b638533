import type { MigrationStep } from "../store.ts";

/*
 * GoogleSQL. Every step is one batch of the admin API and may run again where it was cut short or another server runs it:
 * IF NOT EXISTS. Statements end with a line that holds `;` only.
 *
 * Entry 0 of a row is its head: so one read of one table gives head and entries, as of one moment and in one call. It has a
 * column of its own, because bodies are read only when they are asked for, and the head always.
 */

const first = `create table if not exists tape_meta (
  name string(max) not null,
  value string(max) not null,
) primary key (name)
;
create table if not exists tape_migrations (
  id int64 not null,
  name string(max) not null,
  checksum string(max) not null,
  applied_at timestamp not null options (allow_commit_timestamp = true),
) primary key (id)
;
create table if not exists tape_rows (
  shard int64 not null,
  row_id string(max) not null,
  version int64 not null,
  commit_id string(max) not null,
  committed_at timestamp not null options (allow_commit_timestamp = true),
) primary key (shard, row_id)
;
create table if not exists tape_versions (
  shard int64 not null,
  row_id string(max) not null,
  version int64 not null,
  commit_id string(max) not null,
) primary key (shard, row_id, version),
  interleave in parent tape_rows on delete cascade
;
create table if not exists tape_entries (
  shard int64 not null,
  row_id string(max) not null,
  seq int64 not null,
  kind string(max) not null,
  ref string(max) not null,
  dims string(max) not null,
  meta string(max) not null,
  at_ms int64 not null,
  trace string(max) not null,
  commit_id string(max) not null,
  body_bytes int64,
  body_parts int64 not null,
  body bytes(max),
  head bytes(max),
) primary key (shard, row_id, seq),
  interleave in parent tape_rows on delete cascade
;
create table if not exists tape_bodies (
  shard int64 not null,
  row_id string(max) not null,
  seq int64 not null,
  part int64 not null,
  body bytes(max) not null,
) primary key (shard, row_id, seq, part),
  interleave in parent tape_entries on delete cascade
;
create table if not exists tape_index (
  name string(max) not null,
  shard int64 not null,
  key string(max) not null,
  row_id string(max) not null,
) primary key (name, shard, key, row_id)
;
create table if not exists tape_feed (
  shard int64 not null,
  committed_at timestamp not null options (allow_commit_timestamp = true),
  row_id string(max) not null,
  first_seq int64 not null,
  entries int64 not null,
) primary key (shard, committed_at, row_id)
;`;

/** The steps of the schema, never changed once released. */
export const schemaSteps: readonly MigrationStep[] = Object.freeze([
  Object.freeze({ id: 1, name: "rows, versions, entries, bodies, index and feed", statements: first }),
]);

/** The statements of a step, as the admin API takes them. */
export const statementsOf = ({ statements }: MigrationStep): readonly string[] =>
  statements
    .split(/^;$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
