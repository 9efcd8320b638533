/** An SQL expression. */
type Sql = string;

/** Gives a field of a JSON value; the path leads from member to member. */
export type ReadField = (json: Sql, ...path: readonly string[]) => Sql;

/** The things of one kind that rows have entries about, named `t`. */
interface ThingsSource {
  /** What stands behind the head's part of the `with` clause. */
  readonly cte: Sql;
  /** The `from` clause up to here; the heads are named `h`. */
  readonly from: Sql;
}

/** How an engine says what the views need: the words in which the engines differ, and nothing else. */
export interface ViewsDialect {
  /** Id, row, version and head of the rows of one kind. A head that is not JSON is nobody's. */
  readonly heads: (kind: string) => Sql;
  /** `entries` gives a query for the first and last entry of each thing, of the entries for which a condition holds. */
  readonly things: (kind: string, entries: (condition: Sql) => Sql) => ThingsSource;
  /** What makes an entry one of the thing `t`, whose row and ref it has. */
  readonly withinThing: Sql;
  /** The meta of an entry as JSON, once {@link withMeta} stands in the `from` clause. */
  readonly meta: (entry: Sql) => Sql;
  readonly withMeta: (entry: Sql) => Sql;
  readonly text: ReadField;
  readonly number: ReadField;
  readonly isFalse: ReadField;
  /** How many elements a list has. */
  readonly length: ReadField;
  /** A `from` item: each element of a list as `o.value`. */
  readonly elements: (json: Sql, list: string) => Sql;
  /** What ends a subquery that must not give more than one line. */
  readonly first: Sql;
  /** JSON that is kept as a text. */
  readonly json: (text: Sql) => Sql;
  /** The run's id. `heads` is how its head and name are called: nothing, or an alias and a dot. */
  readonly runId: (heads: Sql) => Sql;
  /** A time from milliseconds; null for 0. */
  readonly time: (ms: Sql) => Sql;
  /** Dollars from micro-dollars. */
  readonly dollars: (micro: Sql) => Sql;
}

/**
 * Views for people who ask in SQL; Tape itself never reads them. They say what is recorded: whether a lease or claim
 * has expired by now is for the reader to see. The text is part of a migration: what it gives for an engine never
 * changes once released.
 */
export function viewsSql(dialect: ViewsDialect): string {
  const { heads, text, number, time, dollars, meta, withMeta, runId } = dialect;

  const firstAndLast = (condition: Sql): Sql => `
  select row_id, ref, min(seq) as first_seq, max(seq) as last_seq
  from tape_entries
  where ${condition}
  group by row_id, ref`;

  /** A run's things: `h` is the head, `f` the first and `l` the last entry. */
  const ofThings = (kind: string, columns: Sql): Sql => {
    const { cte, from } = dialect.things(kind, firstAndLast);
    return `with heads as (${heads("run")})${cte}
select
${columns}

${from}
join tape_entries f on f.row_id = t.row_id and f.seq = t.first_seq
join tape_entries l on l.row_id = t.row_id and l.seq = t.last_seq${withMeta("f")}${withMeta("l")};`;
  };

  /** What the last entry that has this field says. */
  const latest = (read: ReadField, field: string): Sql => {
    const value = read(meta("e"), field);
    return `(select ${value} from tape_entries e${withMeta("e")}
    where ${dialect.withinThing} and ${value} is not null order by e.seq desc limit 1)`;
  };

  /** A field that the head keeps while the thing is open. */
  const inHead = (list: string, read: ReadField, field: string, key: string, wanted: Sql): Sql =>
    `(select ${read("o.value", field)} from ${dialect.elements("h.head", list)} where ${text("o.value", key)} = ${wanted}${dialect.first})`;
  const ofEffect = (read: ReadField, field: string): Sql =>
    inHead("effects", read, field, "key", text(meta("f"), "idempotency_key"));
  const ofObligation = (read: ReadField, field: string): Sql =>
    inHead("obligations", read, field, "seq", text(meta("f"), "obligation_seq"));

  return `
create view tape_runs as
with heads as (${heads("run")})
select
  ${runId("")} as run_id,
  ${text("head", "status")} as status,
  ${text("head", "tenant_id")} as tenant_id,
  ${text("head", "app")} as app,
  ${text("head", "user")} as user,
  ${text("head", "session")} as session,
  ${text("head", "invocation_id")} as invocation_id,
  ${time(number("head", "started_at_ms"))} as started_at,
  ${time(number("head", "ended_at_ms"))} as ended_at,
  ${text("head", "lease", "owner")} as lease_owner,
  ${time(number("head", "lease", "expires_at_ms"))} as lease_expires_at,
  ${number("head", "epoch")} as epoch,
  ${text("head", "waiting", "gate")} as waiting_on_gate,
  ${number("head", "seq")} as entries,
  ${dialect.length("head", "effects")} as open_effects,
  ${dollars(number("head", "budget", "usd_spent"))} as usd_spent,
  ${dollars(`nullif(${number("head", "budget", "usd_cap")}, 0)`)} as usd_cap,
  ${number("head", "budget", "tokens_spent")} as tokens_spent,
  nullif(${number("head", "budget", "token_cap")}, 0) as token_cap,
  ${text("head", "actor")} as actor,
  ${text("head", "subject")} as subject,
  ${text("head", "agent_id")} as agent_id,
  head -> 'labels' as labels,
  row
from heads;

create view tape_decisions as
with heads as (${heads("run")})
select
  ${runId("h.")} as run_id,
  ${number(meta("e"), "decision_index")} as decision_index,
  ${text(meta("e"), "model")} as model,
  ${text(meta("e"), "policy_version")} as policy_version,
  ${text(meta("e"), "rationale")} as rationale,
  ${time("e.at")} as recorded_at,
  e.seq,
  e.position as global_seq
from tape_entries e join heads h on h.id = e.row_id${withMeta("e")}
where e.kind = 'decision/recorded';

create view tape_effects as
${ofThings(
  "effect",
  `  ${runId("h.")} as run_id,
  ${text(meta("f"), "idempotency_key")} as idempotency_key,
  ${text(meta("l"), "status")} as status,
  ${text(meta("f"), "tool")} as tool,
  ${number(meta("f"), "decision_index")} as decision_index,
  ${text(meta("f"), "semantics")} as semantics,
  ${text(meta("f"), "dispatch_mode")} as dispatch_mode,
  ${text(meta("f"), "connector")} as connector,
  ${text(meta("f"), "business_key")} as business_key,
  ${text(meta("f"), "scope")} as scope,
  coalesce(${latest(number, "dispatch_attempts")}, 0) as dispatch_attempts,
  nullif(${latest(text, "error")}, '') as last_error,
  ${latest(text, "external_ref")} as external_ref,
  ${ofEffect(text, "claimed_by")} as claimed_by,
  ${time(ofEffect(number, "claim_expires_at_ms"))} as claim_expires_at,
  ${time("f.at")} as begun_at,
  ${time("l.at")} as changed_at,
  f.seq,
  l.position as global_seq`,
)}

create view tape_obligations as
${ofThings(
  "obligation",
  `  ${runId("h.")} as run_id,
  ${number(meta("f"), "obligation_seq")} as obligation_seq,
  ${text(meta("l"), "status")} as status,
  ${text(meta("f"), "kind")} as kind,
  ${text(meta("f"), "effect_key")} as effect_key,
  ${number(meta("l"), "attempts")} as attempts,
  nullif(${text(meta("l"), "error")}, '') as last_error,
  ${time(number(meta("l"), "next_attempt_at_ms"))} as next_attempt_at,
  ${ofObligation(text, "claimed_by")} as claimed_by,
  ${time(ofObligation(number, "claim_expires_at_ms"))} as claim_expires_at,
  ${time("f.at")} as registered_at,
  ${time("l.at")} as changed_at,
  l.position as global_seq`,
)}

create view tape_sessions as
with heads as (${heads("session")})
select
  ${text("h.head", "app")} as app,
  ${text("h.head", "user")} as user,
  ${text("h.head", "session")} as session,
  (select count(*) from tape_entries e where e.row_id = h.id) as events,
  ${dialect.json(text("h.head", "state_json"))} as state,
  ${time(number("h.head", "created_at_ms"))} as created_at,
  ${time(number("h.head", "updated_at_ms"))} as updated_at,
  h.row
from heads h
where ${dialect.isFalse("h.head", "deleted")};

create view tape_values as
with heads as (${heads("value")})
select
  ${text("head", "namespace")} as namespace,
  ${text("head", "key")} as key,
  ${dialect.json(text("head", "value_json"))} as value,
  ${number("head", "version")} as version,
  ${text("head", "writer")} as writer,
  ${time(number("head", "updated_at_ms"))} as updated_at,
  row
from heads
where ${dialect.isFalse("head", "deleted")};
`;
}
