/** SQL for a time in milliseconds as ISO 8601 text; null for 0. */
const time = (ms: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', nullif(${ms}, 0) / 1000.0, 'unixepoch')`;

/** SQL for micro-dollars as dollars. */
const dollars = (micro: string): string => `${micro} / 1000000.0`;

/** Heads of one kind of row. A head that is not JSON is nobody's. */
const heads = (kind: string): string => `
  select r.id, r.row, r.version, r.head
  from (select id, row, version, case when json_valid(head) then head end as head from tape_rows) r
  where r.head ->> 'kind' = '${kind}'`;

/** First and last entry of each thing of one kind that a row has entries about. */
const things = (kind: string): string => `
  select row_id, ref, min(seq) as first_seq, max(seq) as last_seq
  from tape_entries
  where kind >= '${kind}/' and kind < '${kind}0'
  group by row_id, ref`;

/** A run's things: `h` is the head, `f` the first and `l` the last entry. */
const thingsOfRuns = `
from things t
join heads h on h.id = t.row_id
join tape_entries f on f.row_id = t.row_id and f.seq = t.first_seq
join tape_entries l on l.row_id = t.row_id and l.seq = t.last_seq;`;

/** What the last entry that has this field says. */
const latest = (field: string): string =>
  `(select e.meta ->> '${field}' from tape_entries e
    where e.row_id = t.row_id and e.ref = t.ref and e.meta ->> '${field}' is not null order by e.seq desc limit 1)`;

/** A field that the head keeps while the thing is open. */
const inHead = (list: string, field: string, key: string, wanted: string): string =>
  `(select o.value ->> '${field}' from json_each(h.head, '$.${list}') o where o.value ->> '${key}' = ${wanted})`;

/**
 * Views for people who ask in SQL; Tape itself never reads them. They say what is recorded: whether a lease or claim
 * has expired by now is for the reader to see.
 */
export const views: string = `
create view tape_runs as
with heads as (${heads("run")})
select
  head ->> 'run_id' as run_id,
  head ->> 'status' as status,
  head ->> 'tenant_id' as tenant_id,
  head ->> 'app' as app,
  head ->> 'user' as user,
  head ->> 'session' as session,
  head ->> 'invocation_id' as invocation_id,
  ${time("head ->> 'started_at_ms'")} as started_at,
  ${time("head ->> 'ended_at_ms'")} as ended_at,
  head ->> '$.lease.owner' as lease_owner,
  ${time("head ->> '$.lease.expires_at_ms'")} as lease_expires_at,
  head ->> 'epoch' as epoch,
  head ->> '$.waiting.gate' as waiting_on_gate,
  head ->> 'seq' as entries,
  json_array_length(head, '$.effects') as open_effects,
  ${dollars("head ->> '$.budget.usd_spent'")} as usd_spent,
  ${dollars("nullif(head ->> '$.budget.usd_cap', 0)")} as usd_cap,
  head ->> '$.budget.tokens_spent' as tokens_spent,
  nullif(head ->> '$.budget.token_cap', 0) as token_cap,
  head ->> 'actor' as actor,
  head ->> 'subject' as subject,
  head ->> 'agent_id' as agent_id,
  head -> 'labels' as labels,
  row
from heads;

create view tape_decisions as
with heads as (${heads("run")})
select
  h.head ->> 'run_id' as run_id,
  e.meta ->> 'decision_index' as decision_index,
  e.meta ->> 'model' as model,
  e.meta ->> 'policy_version' as policy_version,
  e.meta ->> 'rationale' as rationale,
  ${time("e.at")} as recorded_at,
  e.seq,
  e.position as global_seq
from tape_entries e join heads h on h.id = e.row_id
where e.kind = 'decision/recorded';

create view tape_effects as
with heads as (${heads("run")}), things as (${things("effect")})
select
  h.head ->> 'run_id' as run_id,
  f.meta ->> 'idempotency_key' as idempotency_key,
  l.meta ->> 'status' as status,
  f.meta ->> 'tool' as tool,
  f.meta ->> 'decision_index' as decision_index,
  f.meta ->> 'semantics' as semantics,
  f.meta ->> 'dispatch_mode' as dispatch_mode,
  f.meta ->> 'connector' as connector,
  f.meta ->> 'business_key' as business_key,
  f.meta ->> 'scope' as scope,
  coalesce(${latest("dispatch_attempts")}, 0) as dispatch_attempts,
  nullif(${latest("error")}, '') as last_error,
  ${latest("external_ref")} as external_ref,
  ${inHead("effects", "claimed_by", "key", "f.meta ->> 'idempotency_key'")} as claimed_by,
  ${time(inHead("effects", "claim_expires_at_ms", "key", "f.meta ->> 'idempotency_key'"))} as claim_expires_at,
  ${time("f.at")} as begun_at,
  ${time("l.at")} as changed_at,
  f.seq,
  l.position as global_seq
${thingsOfRuns}

create view tape_obligations as
with heads as (${heads("run")}), things as (${things("obligation")})
select
  h.head ->> 'run_id' as run_id,
  f.meta ->> 'obligation_seq' as obligation_seq,
  l.meta ->> 'status' as status,
  f.meta ->> 'kind' as kind,
  f.meta ->> 'effect_key' as effect_key,
  l.meta ->> 'attempts' as attempts,
  nullif(l.meta ->> 'error', '') as last_error,
  ${time("l.meta ->> 'next_attempt_at_ms'")} as next_attempt_at,
  ${inHead("obligations", "claimed_by", "seq", "f.meta ->> 'obligation_seq'")} as claimed_by,
  ${time(inHead("obligations", "claim_expires_at_ms", "seq", "f.meta ->> 'obligation_seq'"))} as claim_expires_at,
  ${time("f.at")} as registered_at,
  ${time("l.at")} as changed_at,
  l.position as global_seq
${thingsOfRuns}

create view tape_sessions as
with heads as (${heads("session")})
select
  h.head ->> 'app' as app,
  h.head ->> 'user' as user,
  h.head ->> 'session' as session,
  (select count(*) from tape_entries e where e.row_id = h.id) as events,
  h.head ->> 'state_json' as state,
  ${time("h.head ->> 'created_at_ms'")} as created_at,
  ${time("h.head ->> 'updated_at_ms'")} as updated_at,
  h.row
from heads h
where not h.head ->> 'deleted';

create view tape_values as
with heads as (${heads("value")})
select
  head ->> 'namespace' as namespace,
  head ->> 'key' as key,
  head ->> 'value_json' as value,
  head ->> 'version' as version,
  head ->> 'writer' as writer,
  ${time("head ->> 'updated_at_ms'")} as updated_at,
  row
from heads
where not head ->> 'deleted';
`;
