import { maxEntries } from "../store.ts";
import { quoteIdentifier } from "./schema.ts";

/** A statement that is prepared once a connection, unless a pooler stands in between. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Every statement of the store, for the tables of one schema. */
export interface Statements {
  /** See {@link appendText}. */
  readonly append: Statement;
  /** The same for a batch that drops bodies, with three more parameters: the usual one need not plan for them. */
  readonly appendAndDrop: Statement;
  /** rows (text[]); gives row and version of those that exist */
  readonly versions: Statement;
  /** rows (text[]); gives row, version, commit id, head of those that exist */
  readonly heads: Statement;
  /** row, after seq, limit (null: all); the head comes first, as a line without seq */
  readonly read: Statement;
  readonly readWithBodies: Statement;
  /** index, cursor key, cursor row, key to end before, limit */
  readonly scan: Statement;
  /** after position, limit; the feed's state comes first, as a line without seq */
  readonly tail: Statement;
  /** limit; gives the rows of entries that have no place in the feed: their positions are of no transaction that was */
  readonly misplaced: Statement;
  /** Gives the highest position so far, of those that can have been given. */
  readonly lastPosition: Statement;
}

/** Bits of a position below the transaction's number: what orders the entries of one transaction. */
export const ordinalBits: number = Math.log2(maxEntries);

/** Whether a journal's numbers are those of this database, and the base that its positions are counted from. */
const placeText = (meta: string): string => `
  select
    feed.value::bigint as base,
    home.value = home.tableoid::text || '/' || home.xmin::text as is_home
  from ${meta} feed, ${meta} home
  where feed.name = 'feed' and home.name = 'feed_home'`;

/**
 * A whole batch in one statement, which is one transaction and one round trip.
 *
 * Rows are made, then locked, each in the order of the batch, which is that of their names: of two servers none ever
 * waits for the other in a circle. That costs 5 % against an update that locks in whatever order it likes. An element
 * whose row is elsewhere by now has no line in \`won\`, and nothing below is done for it.
 *
 * The transaction's number is taken before anything is written and shows in every position, see docs/stores/postgres.md.
 * \`synchronous_commit = off\`, wherever it was set, does not hold here: what is acknowledged is durable.
 */
function appendText(table: (name: string) => string, drops: boolean): string {
  return `
with place as materialized (
  select p.base, p.is_home, case when p.is_home then p.base + pg_current_xact_id()::text::bigint end as xact
  from (${placeText(table("tape_meta"))}) p
),
input as materialized (
  select i.* from unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
    with ordinality as i (row, expect, commit_id, head, n)
  where (select is_home from place)
),
made as (
  insert into ${table("tape_rows")} as r (row, version, commit_id, head)
  select row, 1, commit_id, head from input where expect = 0 order by n
  on conflict (row) do nothing
  returning r.id, r.row
),
held as (
  select r.id, i.n, i.commit_id, i.head
  from input i join ${table("tape_rows")} r on r.row = i.row
  where i.expect > 0 and r.version = i.expect and (select count(*) from made) >= 0
  order by i.n
  for update of r
),
changed as (
  update ${table("tape_rows")} r set version = r.version + 1, commit_id = h.commit_id, head = h.head
  from held h where r.id = h.id
  returning r.id, h.n
),
won as materialized (
  select m.id, i.n, i.commit_id, i.row from made m join input i on i.row = m.row
  union all
  select c.id, c.n, i.commit_id, i.row from changed c join input i on i.n = c.n
),
written as (
  insert into ${table("tape_entries")} (position, row_id, seq, kind, ref, dims, meta, at, trace, commit_id, body)
  select (p.xact << ${ordinalBits}) + e.ordinal, w.id, e.seq, e.kind, e.ref, e.dims, e.meta, e.at, e.trace, w.commit_id, e.body
  from unnest($5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[], $12::text[],
    $13::bytea[], $22::bigint[]) as e (n, seq, kind, ref, dims, meta, at, trace, body, ordinal)
  join won w on w.n = e.n cross join place p
),
dropped as (
  delete from ${table("tape_index")} x
  using unnest($14::bigint[], $15::text[], $16::text[]) as k (n, idx, key) join won w on w.n = k.n
  where x.idx = k.idx and x.key = k.key and x.row = w.row
),
added as (
  insert into ${table("tape_index")} (idx, key, row)
  select k.idx, k.key, w.row from unnest($17::bigint[], $18::text[], $19::text[]) as k (n, idx, key) join won w on w.n = k.n
  on conflict do nothing
),
trimmed as (
  delete from ${table("tape_entries")} e
  using unnest($20::bigint[], $21::bigint[]) as t (n, below) join won w on w.n = t.n
  where e.row_id = w.id and e.seq < t.below
)${drops ? bodiesDroppedText(table) : ""}
select p.is_home, p.xact, (select array_agg(w.n) from won w) as won,
  case when current_setting('synchronous_commit') = 'off' then set_config('synchronous_commit', 'on', true) end
from place p`;
}

/** Entries that go altogether are left to `trimmed`: one statement must not change a line twice. */
const bodiesDroppedText = (table: (name: string) => string): string => `,
emptied as (
  update ${table("tape_entries")} e set body = null
  from unnest($23::bigint[], $24::bigint[], $25::bigint[]) as d (n, first, below) join won w on w.n = d.n
  where e.row_id = w.id and e.seq >= d.first and e.seq < d.below and e.body is not null
)`;

const envelope = "e.position, e.seq, e.kind, e.ref, e.dims, e.meta, e.at, e.trace";

/** One statement, so that head and entries are of one moment. */
const readText = (table: (name: string) => string, body: string): string => `
with r as materialized (select id, version, commit_id, head from ${table("tape_rows")} where row = $1)
select * from (
  select version as position, null::bigint as seq, '' as kind, '' as ref, '' as dims, head as meta, 0::bigint as at,
    '' as trace, commit_id, null::bytea as body
  from r
  union all (
    select ${envelope}, e.commit_id, ${body}
    from r join ${table("tape_entries")} e on e.row_id = r.id
    where e.seq > $2 order by e.seq limit $3
  )
) found order by seq nulls first`;

/**
 * Below the oldest transaction that is still running nothing can be committed any more: what is read there is final,
 * and in order. The snapshot that says so is the one that the statement reads with. A position of a transaction that has
 * not begun is a damaged one, which holds nobody up.
 */
const tailText = (table: (name: string) => string): string => `
with place as materialized (
  select is_home, (base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint) << ${ordinalBits} as horizon,
    (base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint) << ${ordinalBits} as future
  from (${placeText(table("tape_meta"))}) p
)
select * from (
  select horizon as position, null::bigint as seq, '' as kind, '' as ref, '' as dims, is_home::text as meta,
    (exists (select 1 from ${table("tape_entries")} e where e.position >= place.horizon and e.position < place.future))::int::bigint as at,
    '' as trace, '' as row
  from place
  union all (
    select ${envelope}, r.row
    from ${table("tape_entries")} e join ${table("tape_rows")} r on r.id = e.row_id
    where e.position > $1 and e.position < (select horizon from place) and (select is_home from place)
    order by e.position limit $2
  )
) found order by seq is not null, position`;

/** Two ranges of the primary key, in which there is nothing as long as nothing is damaged. */
const misplacedText = (table: (name: string) => string): string => `
select coalesce(r.row, ''), found.seq from (
  (select row_id, seq from ${table("tape_entries")} where position <= 0 limit $1)
  union all
  (select row_id, seq from ${table("tape_entries")} where position >= (
    select (base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint) << ${ordinalBits}
    from (${placeText(table("tape_meta"))}) p where p.is_home
  ) limit $1)
) found left join ${table("tape_rows")} r on r.id = found.row_id`;

/** The statements for the tables of this schema. */
export function statementsFor(schema: string): Statements {
  const table = (name: string): string => `${quoteIdentifier(schema)}.${name}`;
  const statement = (name: string, text: string): Statement => ({ name: `tape_${name}`, text });
  return {
    append: statement("append", appendText(table, false)),
    appendAndDrop: statement("append_and_drop", appendText(table, true)),
    versions: statement("versions", `select row, version from ${table("tape_rows")} where row = any($1::text[])`),
    heads: statement(
      "heads",
      `select row, version, commit_id, head from ${table("tape_rows")} where row = any($1::text[])`,
    ),
    read: statement("read", readText(table, "null::bytea")),
    readWithBodies: statement("read_bodies", readText(table, "e.body")),
    scan: statement(
      "scan",
      `select key, row from ${table("tape_index")}
       where idx = $1 and (key, row) > ($2, $3) and key < $4 order by key, row limit $5`,
    ),
    tail: statement("tail", tailText(table)),
    misplaced: statement("misplaced", misplacedText(table)),
    lastPosition: statement(
      "last_position",
      `select max(e.position) from ${table("tape_entries")} e, (${placeText(table("tape_meta"))}) p
       where e.position < (p.base + pg_snapshot_xmax(pg_current_snapshot())::text::bigint) << ${ordinalBits}`,
    ),
  };
}
