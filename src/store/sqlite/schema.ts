import type { MigrationStep } from "../store.ts";
import { views } from "./schema-views.ts";

/*
 * Bodies stand apart from some 1 KiB on, since the journal is mostly read without them. Measured with bodies of 2 KB:
 * reading entries without bodies 4.2 instead of 6.7 us each, the file 44 instead of 79 MB (two such entries do not fit
 * on one page), writing no slower; with bodies of 300 B writing would be 20 % slower, so small ones stay.
 *
 * Entries stand in the order of the feed, with a narrow unique index for reading a row: 1.5 to 4 times faster than a
 * table keyed by (row, seq), because appends then touch few pages.
 */
const tables = `
create table tape_meta (
  name text primary key,
  value any not null
) strict, without rowid;

create table tape_rows (
  id integer primary key,
  row text not null unique,
  version integer not null,
  commit_id text not null,
  head text not null
) strict;

create table tape_entries (
  position integer primary key,
  row_id integer not null,
  seq integer not null,
  kind text not null,
  ref text not null,
  dims text not null,
  meta text not null,
  at integer not null,
  trace text not null,
  commit_id text not null,
  body blob
) strict;

create unique index tape_entries_row on tape_entries (row_id, seq);

create table tape_bodies (
  position integer primary key,
  body blob not null
) strict;

create table tape_index (
  idx text not null,
  key text not null,
  row text not null,
  primary key (idx, key, row)
) strict, without rowid;

-- 'feed': the position given last, never given again. 'fence': changed to make the fate of a lost commit certain.
insert into tape_meta (name, value) values
  ('journal', lower(hex(randomblob(16)))),
  ('feed', 0),
  ('fence', 0);
`;

/** Bodies up to this many bytes stand in `tape_entries`, larger ones in `tape_bodies`. */
export const inlineBodyBytes = 1024;

/** The steps from nothing to the newest format. A released step never changes; a change is a new step at the end. */
export const migrations: readonly MigrationStep[] = [{ id: 1, name: "journal", statements: `${tables}${views}` }];
