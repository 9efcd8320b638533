import { viewsSql, type ReadField } from "../sql/views.ts";

/** Half of a surrogate pair, in JSON's escapes. */
const high = String.raw`\\u[dD][89abAB][0-9a-fA-F]{2}`;
const low = String.raw`\\u[dD][c-fC-F][0-9a-fA-F]{2}`;
/** Escapes that jsonb refuses, in a text where every backslash begins an escape. */
const refused = String.raw`\\u0000|${high}(?!${low})|(?<!${high})${low}`;

/** A text as SQL writes it, which means the same whatever the reader's settings are. */
const quoted = (text: string): string => `E'${text.replaceAll("\\", "\\\\")}'`;

const backslash = quoted(String.raw`\\`);
const escapedBackslash = quoted(String.raw`\u005c`);
const replacement = quoted(String.raw`\\ufffd`);

/*
 * A text as jsonb. jsonb cannot hold two things that JSON can: U+0000, and half of a surrogate pair (what is left when
 * a program cuts a text inside an emoji). They are read as U+FFFD. What still is no jsonb is null, so that one strange
 * line does not take a view from everybody.
 *
 * Names are qualified, so the reader's search path does not matter, without a SET clause that every call would pay for.
 * Not parallel safe: the error handler opens a subtransaction, which parallel queries refuse before PostgreSQL 17, and
 * before 16 there is no other way to find out whether a text is JSON. It costs a fifth of the parsing.
 */
const json = `
create function tape_json(source text) returns jsonb language plpgsql immutable strict parallel unsafe as $$
begin
  return source::pg_catalog.jsonb;
exception when others then
  begin
    return pg_catalog.regexp_replace(
      pg_catalog.replace(source, ${backslash}, ${escapedBackslash}), ${quoted(refused)}, ${replacement}, 'g'
    )::pg_catalog.jsonb;
  exception when others then
    return null;
  end;
end
$$;
`;

/** JSON is parsed once a line, whatever is asked of it: `offset 0` keeps the planner from copying the call. */
const parsed = (text: string, name: string, alias: string): string =>
  `cross join lateral (select tape_json(${text}) as ${name} offset 0) ${alias}`;

const text: ReadField = (value, ...path) => {
  const [name = "", ...inner] = path;
  return inner.length === 0 ? `${value} ->> '${name}'` : `${value} #>> '{${path.join(",")}}'`;
};

/** What is not a number, or too large for one of Tape's, is null: a cast would fail. */
const number: ReadField = (value, ...path) =>
  `jsonb_path_query_first(${value}, '$.${path.join(".")} ? (@.abs() <= 9007199254740991)')::bigint`;

/** The function and the views, for the schema that unqualified names mean while they are made. */
export const views: string = `${json}${viewsSql({
  // The kind is in the row's name too, where it costs no parsing.
  heads: (kind) => `
  select r.id, r.row, r.version, j.head
  from tape_rows r ${parsed("r.head", "head", "j")}
  where split_part(r.row, '/', 2) = '${kind}' and j.head ->> 'kind' = '${kind}'`,
  // For each run by itself, so that a question about one run does not group the entries of all.
  things: (kind, entries) => ({
    cte: "",
    from: `from heads h\ncross join lateral (${entries(`row_id = h.id and kind like '${kind}/%'`)}) t`,
  }),
  withinThing: "e.row_id = t.row_id and e.ref = t.ref and e.seq between t.first_seq and t.last_seq",
  meta: (entry) => `${entry}m.meta`,
  withMeta: (entry) => `\n${parsed(`${entry}.meta`, "meta", `${entry}m`)}`,
  text,
  number,
  isFalse: (value, ...path) => `${text(value, ...path)} = 'false'`,
  length: (value, ...path) =>
    `jsonb_path_query_first(${value}, 'strict $.${path.join(".")}.size()', '{}', true)::bigint`,
  elements: (value, list) => `jsonb_path_query(${value}, '$.${list}[*]') o (value)`,
  first: " limit 1",
  json: (value) => `tape_json(${value})`,
  // In its name too: a question about one run parses one head.
  runId: (heads) => `split_part(${heads}row, '/', 3)`,
  time: (ms) => `to_timestamp(nullif(${ms}, 0) / 1000.0)`,
  dollars: (micro) => `(${micro} / 1000000.0)::numeric(20, 6)`,
})}`;
