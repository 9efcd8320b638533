import type { MigrationStep } from "../store.ts";
import { views } from "./schema-views.ts";

/*
 * Texts that are searched or ordered have collation "C": the order of bytes, which neither a locale nor an upgrade of the
 * system's libraries changes.
 *
 * There is no table of large bodies: PostgreSQL keeps values of more than 2 kB apart by itself (TOAST), and reads them
 * only when asked for. EXTERNAL: payloads are not compressed, so that no commit waits for it.
 *
 * A head is replaced by every commit. With room on its page (fillfactor) and no index on what changes, the new version
 * stands beside the old one and no index is touched (HOT).
 */
const tables = `
create table tape_meta (
  name text primary key,
  value text not null
);

create table tape_rows (
  id bigint generated always as identity primary key,
  row text collate "C" not null unique,
  version bigint not null,
  commit_id text not null,
  head text not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

create table tape_entries (
  position bigint primary key,
  row_id bigint not null,
  seq bigint not null,
  kind text collate "C" not null,
  ref text not null,
  dims text not null,
  meta text not null,
  at bigint not null,
  trace text not null,
  commit_id text not null,
  body bytea
) with (autovacuum_vacuum_insert_scale_factor = 0.1);

alter table tape_entries alter column body set storage external;

create unique index tape_entries_row on tape_entries (row_id, seq);

create table tape_index (
  idx text collate "C" not null,
  key text collate "C" not null,
  row text collate "C" not null,
  primary key (idx, key, row)
) with (autovacuum_vacuum_scale_factor = 0.02);

-- 'feed': added to a transaction's number it gives the upper part of its positions. 'feed_home': the place of this very
-- line; a copy of the journal in another database has another one, and then 'feed' must be raised before anything is
-- written. 'cluster': the server's system identifier, for the same purpose. 'feed_top': how high upper parts had risen
-- when the journal was last opened.
insert into tape_meta (name, value) values
  ('journal', replace(gen_random_uuid()::text, '-', '')),
  ('feed', '0'),
  ('feed_home', 'tape_meta'::regclass::oid || '/' || (pg_current_xact_id()::text::numeric % 4294967296)),
  ('cluster', ''),
  ('feed_top', '0');
`;

/** The steps from nothing to the newest format. A released step never changes; a change is a new step at the end. */
export const migrations: readonly MigrationStep[] = [{ id: 1, name: "journal", statements: `${tables}${views}` }];

/** Bodies of any size stand in the entry. */
export const inlineBodyBytes: number = 1024 * 1024 * 1024;

/** The oldest server that has what is used here: `pg_current_xact_id`, `gen_random_uuid`. */
export const oldestVersion = 13;

/** An identifier as SQL writes it. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text as SQL writes it, whatever `standard_conforming_strings` says. */
export const quoteText = (text: string): string => ` E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
