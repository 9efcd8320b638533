--
-- PostgreSQL database dump
--


-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: tape_json(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.tape_json(source text) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
begin
  return source::pg_catalog.jsonb;
exception when others then
  begin
    return pg_catalog.regexp_replace(
      pg_catalog.replace(source, E'\\\\', E'\\u005c'), E'\\\\u0000|\\\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\\\u[dD][c-fC-F][0-9a-fA-F]{2})|(?<!\\\\u[dD][89abAB][0-9a-fA-F]{2})\\\\u[dD][c-fC-F][0-9a-fA-F]{2}', E'\\\\ufffd', 'g'
    )::pg_catalog.jsonb;
  exception when others then
    return null;
  end;
end
$$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: tape_entries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tape_entries (
    "position" bigint NOT NULL,
    row_id bigint NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    ref text NOT NULL,
    dims text NOT NULL,
    meta text NOT NULL,
    at bigint NOT NULL,
    trace text NOT NULL,
    commit_id text NOT NULL,
    body bytea
)
WITH (autovacuum_vacuum_insert_scale_factor='0.1');
ALTER TABLE ONLY public.tape_entries ALTER COLUMN body SET STORAGE EXTERNAL;


--
-- Name: tape_rows; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tape_rows (
    id bigint NOT NULL,
    "row" text NOT NULL COLLATE pg_catalog."C",
    version bigint NOT NULL,
    commit_id text NOT NULL,
    head text NOT NULL
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.05');


--
-- Name: tape_decisions; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.tape_decisions AS
 WITH heads AS (
         SELECT r.id,
            r."row",
            r.version,
            j.head
           FROM (public.tape_rows r
             CROSS JOIN LATERAL ( SELECT public.tape_json(r.head) AS head
                 OFFSET 0) j)
          WHERE ((split_part(r."row", '/'::text, 2) = 'run'::text) AND ((j.head ->> 'kind'::text) = 'run'::text))
        )
 SELECT split_part(h."row", '/'::text, 3) AS run_id,
    (jsonb_path_query_first(em.meta, '$."decision_index"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS decision_index,
    (em.meta ->> 'model'::text) AS model,
    (em.meta ->> 'policy_version'::text) AS policy_version,
    (em.meta ->> 'rationale'::text) AS rationale,
    to_timestamp((((NULLIF(e.at, 0))::numeric / 1000.0))::double precision) AS recorded_at,
    e.seq,
    e."position" AS global_seq
   FROM ((public.tape_entries e
     JOIN heads h ON ((h.id = e.row_id)))
     CROSS JOIN LATERAL ( SELECT public.tape_json(e.meta) AS meta
         OFFSET 0) em)
  WHERE (e.kind = 'decision/recorded'::text);


--
-- Name: tape_effects; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.tape_effects AS
 WITH heads AS (
         SELECT r.id,
            r."row",
            r.version,
            j.head
           FROM (public.tape_rows r
             CROSS JOIN LATERAL ( SELECT public.tape_json(r.head) AS head
                 OFFSET 0) j)
          WHERE ((split_part(r."row", '/'::text, 2) = 'run'::text) AND ((j.head ->> 'kind'::text) = 'run'::text))
        )
 SELECT split_part(h."row", '/'::text, 3) AS run_id,
    (fm.meta ->> 'idempotency_key'::text) AS idempotency_key,
    (lm.meta ->> 'status'::text) AS status,
    (fm.meta ->> 'tool'::text) AS tool,
    (jsonb_path_query_first(fm.meta, '$."decision_index"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS decision_index,
    (fm.meta ->> 'semantics'::text) AS semantics,
    (fm.meta ->> 'dispatch_mode'::text) AS dispatch_mode,
    (fm.meta ->> 'connector'::text) AS connector,
    (fm.meta ->> 'business_key'::text) AS business_key,
    (fm.meta ->> 'scope'::text) AS scope,
    COALESCE(( SELECT (jsonb_path_query_first(em.meta, '$."dispatch_attempts"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS jsonb_path_query_first
           FROM (public.tape_entries e
             CROSS JOIN LATERAL ( SELECT public.tape_json(e.meta) AS meta
                 OFFSET 0) em)
          WHERE ((e.row_id = t.row_id) AND (e.ref = t.ref) AND ((e.seq >= t.first_seq) AND (e.seq <= t.last_seq)) AND ((jsonb_path_query_first(em.meta, '$."dispatch_attempts"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint IS NOT NULL))
          ORDER BY e.seq DESC
         LIMIT 1), (0)::bigint) AS dispatch_attempts,
    NULLIF(( SELECT (em.meta ->> 'error'::text)
           FROM (public.tape_entries e
             CROSS JOIN LATERAL ( SELECT public.tape_json(e.meta) AS meta
                 OFFSET 0) em)
          WHERE ((e.row_id = t.row_id) AND (e.ref = t.ref) AND ((e.seq >= t.first_seq) AND (e.seq <= t.last_seq)) AND ((em.meta ->> 'error'::text) IS NOT NULL))
          ORDER BY e.seq DESC
         LIMIT 1), ''::text) AS last_error,
    ( SELECT (em.meta ->> 'external_ref'::text)
           FROM (public.tape_entries e
             CROSS JOIN LATERAL ( SELECT public.tape_json(e.meta) AS meta
                 OFFSET 0) em)
          WHERE ((e.row_id = t.row_id) AND (e.ref = t.ref) AND ((e.seq >= t.first_seq) AND (e.seq <= t.last_seq)) AND ((em.meta ->> 'external_ref'::text) IS NOT NULL))
          ORDER BY e.seq DESC
         LIMIT 1) AS external_ref,
    ( SELECT (o.value ->> 'claimed_by'::text)
           FROM jsonb_path_query(h.head, '$."effects"[*]'::jsonpath) o(value)
          WHERE ((o.value ->> 'key'::text) = (fm.meta ->> 'idempotency_key'::text))
         LIMIT 1) AS claimed_by,
    to_timestamp((((NULLIF(( SELECT (jsonb_path_query_first(o.value, '$."claim_expires_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS jsonb_path_query_first
           FROM jsonb_path_query(h.head, '$."effects"[*]'::jsonpath) o(value)
          WHERE ((o.value ->> 'key'::text) = (fm.meta ->> 'idempotency_key'::text))
         LIMIT 1), 0))::numeric / 1000.0))::double precision) AS claim_expires_at,
    to_timestamp((((NULLIF(f.at, 0))::numeric / 1000.0))::double precision) AS begun_at,
    to_timestamp((((NULLIF(l.at, 0))::numeric / 1000.0))::double precision) AS changed_at,
    f.seq,
    l."position" AS global_seq
   FROM (((((heads h
     CROSS JOIN LATERAL ( SELECT tape_entries.row_id,
            tape_entries.ref,
            min(tape_entries.seq) AS first_seq,
            max(tape_entries.seq) AS last_seq
           FROM public.tape_entries
          WHERE ((tape_entries.row_id = h.id) AND (tape_entries.kind ~~ 'effect/%'::text))
          GROUP BY tape_entries.row_id, tape_entries.ref) t)
     JOIN public.tape_entries f ON (((f.row_id = t.row_id) AND (f.seq = t.first_seq))))
     JOIN public.tape_entries l ON (((l.row_id = t.row_id) AND (l.seq = t.last_seq))))
     CROSS JOIN LATERAL ( SELECT public.tape_json(f.meta) AS meta
         OFFSET 0) fm)
     CROSS JOIN LATERAL ( SELECT public.tape_json(l.meta) AS meta
         OFFSET 0) lm);


--
-- Name: tape_index; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tape_index (
    idx text NOT NULL COLLATE pg_catalog."C",
    key text NOT NULL COLLATE pg_catalog."C",
    "row" text NOT NULL COLLATE pg_catalog."C"
)
WITH (autovacuum_vacuum_scale_factor='0.02');


--
-- Name: tape_meta; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tape_meta (
    name text NOT NULL,
    value text NOT NULL
);


--
-- Name: tape_migrations; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tape_migrations (
    id integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


--
-- Name: tape_obligations; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.tape_obligations AS
 WITH heads AS (
         SELECT r.id,
            r."row",
            r.version,
            j.head
           FROM (public.tape_rows r
             CROSS JOIN LATERAL ( SELECT public.tape_json(r.head) AS head
                 OFFSET 0) j)
          WHERE ((split_part(r."row", '/'::text, 2) = 'run'::text) AND ((j.head ->> 'kind'::text) = 'run'::text))
        )
 SELECT split_part(h."row", '/'::text, 3) AS run_id,
    (jsonb_path_query_first(fm.meta, '$."obligation_seq"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS obligation_seq,
    (lm.meta ->> 'status'::text) AS status,
    (fm.meta ->> 'kind'::text) AS kind,
    (fm.meta ->> 'effect_key'::text) AS effect_key,
    (jsonb_path_query_first(lm.meta, '$."attempts"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS attempts,
    NULLIF((lm.meta ->> 'error'::text), ''::text) AS last_error,
    to_timestamp((((NULLIF((jsonb_path_query_first(lm.meta, '$."next_attempt_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0))::numeric / 1000.0))::double precision) AS next_attempt_at,
    ( SELECT (o.value ->> 'claimed_by'::text)
           FROM jsonb_path_query(h.head, '$."obligations"[*]'::jsonpath) o(value)
          WHERE ((o.value ->> 'seq'::text) = (fm.meta ->> 'obligation_seq'::text))
         LIMIT 1) AS claimed_by,
    to_timestamp((((NULLIF(( SELECT (jsonb_path_query_first(o.value, '$."claim_expires_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS jsonb_path_query_first
           FROM jsonb_path_query(h.head, '$."obligations"[*]'::jsonpath) o(value)
          WHERE ((o.value ->> 'seq'::text) = (fm.meta ->> 'obligation_seq'::text))
         LIMIT 1), 0))::numeric / 1000.0))::double precision) AS claim_expires_at,
    to_timestamp((((NULLIF(f.at, 0))::numeric / 1000.0))::double precision) AS registered_at,
    to_timestamp((((NULLIF(l.at, 0))::numeric / 1000.0))::double precision) AS changed_at,
    l."position" AS global_seq
   FROM (((((heads h
     CROSS JOIN LATERAL ( SELECT tape_entries.row_id,
            tape_entries.ref,
            min(tape_entries.seq) AS first_seq,
            max(tape_entries.seq) AS last_seq
           FROM public.tape_entries
          WHERE ((tape_entries.row_id = h.id) AND (tape_entries.kind ~~ 'obligation/%'::text))
          GROUP BY tape_entries.row_id, tape_entries.ref) t)
     JOIN public.tape_entries f ON (((f.row_id = t.row_id) AND (f.seq = t.first_seq))))
     JOIN public.tape_entries l ON (((l.row_id = t.row_id) AND (l.seq = t.last_seq))))
     CROSS JOIN LATERAL ( SELECT public.tape_json(f.meta) AS meta
         OFFSET 0) fm)
     CROSS JOIN LATERAL ( SELECT public.tape_json(l.meta) AS meta
         OFFSET 0) lm);


--
-- Name: tape_rows_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.tape_rows ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tape_rows_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: tape_runs; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.tape_runs AS
 WITH heads AS (
         SELECT r.id,
            r."row",
            r.version,
            j.head
           FROM (public.tape_rows r
             CROSS JOIN LATERAL ( SELECT public.tape_json(r.head) AS head
                 OFFSET 0) j)
          WHERE ((split_part(r."row", '/'::text, 2) = 'run'::text) AND ((j.head ->> 'kind'::text) = 'run'::text))
        )
 SELECT split_part(heads."row", '/'::text, 3) AS run_id,
    (heads.head ->> 'status'::text) AS status,
    (heads.head ->> 'tenant_id'::text) AS tenant_id,
    (heads.head ->> 'app'::text) AS app,
    (heads.head ->> 'user'::text) AS "user",
    (heads.head ->> 'session'::text) AS session,
    (heads.head ->> 'invocation_id'::text) AS invocation_id,
    to_timestamp((((NULLIF((jsonb_path_query_first(heads.head, '$."started_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0))::numeric / 1000.0))::double precision) AS started_at,
    to_timestamp((((NULLIF((jsonb_path_query_first(heads.head, '$."ended_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0))::numeric / 1000.0))::double precision) AS ended_at,
    (heads.head #>> '{lease,owner}'::text[]) AS lease_owner,
    to_timestamp((((NULLIF((jsonb_path_query_first(heads.head, '$."lease"."expires_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0))::numeric / 1000.0))::double precision) AS lease_expires_at,
    (jsonb_path_query_first(heads.head, '$."epoch"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS epoch,
    (heads.head #>> '{waiting,gate}'::text[]) AS waiting_on_gate,
    (jsonb_path_query_first(heads.head, '$."seq"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS entries,
    (jsonb_path_query_first(heads.head, 'strict $."effects".size()'::jsonpath, '{}'::jsonb, true))::bigint AS open_effects,
    ((((jsonb_path_query_first(heads.head, '$."budget"."usd_spent"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint)::numeric / 1000000.0))::numeric(20,6) AS usd_spent,
    (((NULLIF((jsonb_path_query_first(heads.head, '$."budget"."usd_cap"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0))::numeric / 1000000.0))::numeric(20,6) AS usd_cap,
    (jsonb_path_query_first(heads.head, '$."budget"."tokens_spent"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS tokens_spent,
    NULLIF((jsonb_path_query_first(heads.head, '$."budget"."token_cap"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0) AS token_cap,
    (heads.head ->> 'actor'::text) AS actor,
    (heads.head ->> 'subject'::text) AS subject,
    (heads.head ->> 'agent_id'::text) AS agent_id,
    (heads.head -> 'labels'::text) AS labels,
    heads."row"
   FROM heads;


--
-- Name: tape_sessions; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.tape_sessions AS
 WITH heads AS (
         SELECT r.id,
            r."row",
            r.version,
            j.head
           FROM (public.tape_rows r
             CROSS JOIN LATERAL ( SELECT public.tape_json(r.head) AS head
                 OFFSET 0) j)
          WHERE ((split_part(r."row", '/'::text, 2) = 'session'::text) AND ((j.head ->> 'kind'::text) = 'session'::text))
        )
 SELECT (h.head ->> 'app'::text) AS app,
    (h.head ->> 'user'::text) AS "user",
    (h.head ->> 'session'::text) AS session,
    ( SELECT count(*) AS count
           FROM public.tape_entries e
          WHERE (e.row_id = h.id)) AS events,
    public.tape_json((h.head ->> 'state_json'::text)) AS state,
    to_timestamp((((NULLIF((jsonb_path_query_first(h.head, '$."created_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0))::numeric / 1000.0))::double precision) AS created_at,
    to_timestamp((((NULLIF((jsonb_path_query_first(h.head, '$."updated_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0))::numeric / 1000.0))::double precision) AS updated_at,
    h."row"
   FROM heads h
  WHERE ((h.head ->> 'deleted'::text) = 'false'::text);


--
-- Name: tape_values; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.tape_values AS
 WITH heads AS (
         SELECT r.id,
            r."row",
            r.version,
            j.head
           FROM (public.tape_rows r
             CROSS JOIN LATERAL ( SELECT public.tape_json(r.head) AS head
                 OFFSET 0) j)
          WHERE ((split_part(r."row", '/'::text, 2) = 'value'::text) AND ((j.head ->> 'kind'::text) = 'value'::text))
        )
 SELECT (heads.head ->> 'namespace'::text) AS namespace,
    (heads.head ->> 'key'::text) AS key,
    public.tape_json((heads.head ->> 'value_json'::text)) AS value,
    (jsonb_path_query_first(heads.head, '$."version"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint AS version,
    (heads.head ->> 'writer'::text) AS writer,
    to_timestamp((((NULLIF((jsonb_path_query_first(heads.head, '$."updated_at_ms"?(@.abs() <= 9007199254740991)'::jsonpath))::bigint, 0))::numeric / 1000.0))::double precision) AS updated_at,
    heads."row"
   FROM heads
  WHERE ((heads.head ->> 'deleted'::text) = 'false'::text);


--
-- Data for Name: tape_entries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.tape_entries VALUES (2977792, 1, 1, 'effect/pending', 'e/pay01é漢🙂''"%', 'tool/1', '{"n":1}', 1767225600001, '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00f067aa0ba902b7', 'commit-a-0000001', '\x696e6c696e6520626f6479');
INSERT INTO public.tape_entries VALUES (2977793, 1, 2, 'test/written', 'r/2', 'tool/2', '{"n":2}', 1767225600002, '', 'commit-a-0000001', '\x01203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a');
INSERT INTO public.tape_entries VALUES (2977794, 1, 3, 'test/written', 'r/3', 'tool/3', '{"n":3}', 1767225600003, '', 'commit-a-0000001', '\x');
INSERT INTO public.tape_entries VALUES (2985984, 2, 1, 'test/written', 'r/1', 'tool/1', '{"n":1}', 1767225600001, '', 'commit-b-0000002', '\x0221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e3');
INSERT INTO public.tape_entries VALUES (2985985, 2, 2, 'test/written', 'r/2', 'tool/2', '{"n":2}', 1767225600002, '', 'commit-b-0000002', '\x032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e4032241607f9ebddcfb1a39587796b5d4f31231506f8eadcceb0a29486786a5c4e30221405f7e9dbcdbfa1938577695b4d3f211304f6e8daccbea0928476685a4c3e201203f5e7d9cbbdaf91837567594b3d2f1102f4e6d8cabcae90827466584a3c2e1001f3e5d7c9bbad9f81736557493b2d1f00f2e4d6c8baac9e80726456483a2c1e0ff1e3d5c7b9ab9d8f71635547392b1d0ef0e2d4c6b8aa9c8e70625446382a1c0dffe1d3c5b7a99b8d7f61534537291b0cfee0d2c4b6a89a8c7e60524436281a0bfdefd1c3b5a7998b7d6f51433527190afceed0c2b4a6988a7c6e504234261809fbeddfc1b3a597897b6d5f4133251708faecdec0b2a496887a6c5e403');
INSERT INTO public.tape_entries VALUES (2990080, 1, 4, 'test/written', 'r/4', 'tool/4', '{"n":4}', 1767225600004, '', 'commit-a-0000002', NULL);
INSERT INTO public.tape_entries VALUES (2998272, 3, 3, 'test/written', 'r/3', 'tool/3', '{"n":3}', 1767225600003, '', 'commit-k-0000003', NULL);


--
-- Data for Name: tape_index; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.tape_index VALUES ('tick', '5', 'p/run/a');
INSERT INTO public.tape_index VALUES ('p/recover', '0000000002', 'p/run/a');


--
-- Data for Name: tape_meta; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.tape_meta VALUES ('journal', '5cb4574dc953456282dc95b696860801');
INSERT INTO public.tape_meta VALUES ('feed', '0');
INSERT INTO public.tape_meta VALUES ('feed_home', '16393/725');
INSERT INTO public.tape_meta VALUES ('feed_top', '726');
INSERT INTO public.tape_meta VALUES ('cluster', '7711785462780104048');


--
-- Data for Name: tape_migrations; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.tape_migrations VALUES (1, 'journal', '2a5c7b84428e9f982a541ee00b57c4e7e13d8ff093f384abebff5751cde426d8', '2026-11-24 17:06:14.249382+00');


--
-- Data for Name: tape_rows; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.tape_rows OVERRIDING SYSTEM VALUE VALUES (2, 'p/run/b', 2, 'commit-b-0000002', '{"format":1,"kind":"test","version":2}');
INSERT INTO public.tape_rows OVERRIDING SYSTEM VALUE VALUES (3, 'p/value/ns/k', 3, 'commit-k-0000003', '{"format":1,"kind":"test","version":3}');
INSERT INTO public.tape_rows OVERRIDING SYSTEM VALUE VALUES (1, 'p/run/a', 3, 'commit-a-0000003', '');


--
-- Name: tape_rows_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.tape_rows_id_seq', 3, true);


--
-- Name: tape_entries tape_entries_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tape_entries
    ADD CONSTRAINT tape_entries_pkey PRIMARY KEY ("position");


--
-- Name: tape_index tape_index_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tape_index
    ADD CONSTRAINT tape_index_pkey PRIMARY KEY (idx, key, "row");


--
-- Name: tape_meta tape_meta_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tape_meta
    ADD CONSTRAINT tape_meta_pkey PRIMARY KEY (name);


--
-- Name: tape_migrations tape_migrations_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tape_migrations
    ADD CONSTRAINT tape_migrations_pkey PRIMARY KEY (id);


--
-- Name: tape_rows tape_rows_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tape_rows
    ADD CONSTRAINT tape_rows_pkey PRIMARY KEY (id);


--
-- Name: tape_rows tape_rows_row_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tape_rows
    ADD CONSTRAINT tape_rows_row_key UNIQUE ("row");


--
-- Name: tape_entries_row; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX tape_entries_row ON public.tape_entries USING btree (row_id, seq);


--
-- PostgreSQL database dump complete
--


