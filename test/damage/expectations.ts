import type { ColumnDamage, SeenDamage } from "./damaged-rows.ts";

/** A damage, and what must come of it; none where the database itself refuses such a value. */
export interface ExpectedDamage extends ColumnDamage {
  readonly seen: SeenDamage | undefined;
}

/** `table.column way: read, feed, append`, or `table.column way: refused`, a line each. */
function expected(text: string): readonly ExpectedDamage[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [column = "", way, read, feed, append] = line.trim().split(/[\s:,]+/);
      const seen = read === "refused" ? undefined : { read, feed, append };
      return { column, way, seen } as ExpectedDamage;
    });
}

/** Of the tables that SQLite and PostgreSQL share. */
const sql = `
  tape_rows.version zero: named, whole, conflict
  tape_rows.version negative: named, whole, conflict
  tape_rows.version past: named, whole, conflict
  tape_rows.version beyond: named, whole, conflict
  tape_rows.version null: refused
  tape_rows.commit_id empty: stored, whole, committed
  tape_rows.head cut: stored, whole, committed
  tape_rows.head empty: stored, whole, committed
  tape_rows.head null: refused
  tape_entries.position negative: stored, without, committed
  tape_entries.position past: stored, without, committed
  tape_entries.position far: stored, without, committed
  tape_entries.position beyond: stored, without, committed
  tape_entries.row_id beyond: stored, without, committed
  tape_entries.seq past: stored, stored, committed
  tape_entries.seq beyond: stored, stored, committed
  tape_entries.kind empty: stored, stored, committed
  tape_entries.ref flip: stored, stored, committed
  tape_entries.dims foreign: stored, stored, committed
  tape_entries.meta cut: stored, stored, committed
  tape_entries.meta null: refused
  tape_entries.at past: stored, stored, committed
  tape_entries.at far: stored, stored, committed
  tape_entries.at beyond: stored, stored, committed
  tape_entries.trace foreign: stored, stored, committed
  tape_entries.commit_id cut: stored, whole, committed
  tape_entries.body cut: stored, whole, committed
  tape_entries.body empty: stored, whole, committed
  tape_entries.body null: stored, whole, committed
  tape_index.idx foreign: whole, whole, committed
  tape_index.key empty: whole, whole, committed
  tape_index.row empty: whole, whole, committed
`;

export const postgresDamage: readonly ExpectedDamage[] = expected(sql);

export const sqliteDamage: readonly ExpectedDamage[] = expected(`${sql.trimEnd()}
  tape_rows.id beyond: stored, without, conflict
  tape_bodies.position beyond: stored, whole, committed
  tape_bodies.body cut: stored, whole, committed
`);

export const spannerDamage: readonly ExpectedDamage[] = expected(`
  tape_rows.version beyond: whole, whole, committed
  tape_rows.commit_id empty: whole, whole, committed
  tape_versions.version beyond: whole, whole, named
  tape_versions.version negative: whole, whole, named
  tape_versions.commit_id cut: whole, whole, committed
  tape_entries.seq beyond: stored, without, committed
  tape_entries.kind empty: stored, stored, committed
  tape_entries.meta cut: stored, stored, committed
  tape_entries.at_ms past: stored, stored, committed
  tape_entries.at_ms beyond: stored, stored, committed
  tape_entries.body_bytes null: named, whole, committed
  tape_entries.body_bytes past: named, whole, committed
  tape_entries.body_parts beyond: named, whole, committed
  tape_entries.body cut: named, whole, committed
  tape_entries.body null: named, whole, committed
  tape_entries.head null: stored, whole, committed
  tape_entries.head cut: stored, whole, committed
  tape_bodies.body cut: named, whole, committed
  tape_bodies.part past: whole, whole, committed
  tape_index.key cut: whole, whole, committed
  tape_index.row_id empty: whole, whole, committed
  tape_feed.row_id cut: whole, without, committed
  tape_feed.committed_at past: whole, without, committed
  tape_feed.committed_at far: refused
  tape_feed.entries null: refused
  tape_feed.first_seq beyond: whole, without, committed
  tape_feed.first_seq past: whole, without, committed
  tape_feed.entries zero: whole, whole, committed
  tape_feed.entries beyond: whole, whole, committed
`);
