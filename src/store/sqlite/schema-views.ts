import { viewsSql, type ReadField } from "../sql/views.ts";

/** SQLite has no types to be told: a field is what the JSON has. */
const field: ReadField = (json, ...path) => {
  const [name = "", ...inner] = path;
  return `${json} ->> '${inner.length === 0 ? name : `$.${path.join(".")}`}'`;
};

/** The views, in SQLite's words. A time is ISO 8601 text, so that it can be compared and read. */
export const views: string = viewsSql({
  heads: (kind) => `
  select r.id, r.row, r.version, r.head
  from (select id, row, version, case when json_valid(head) then head end as head from tape_rows) r
  where r.head ->> 'kind' = '${kind}'`,
  things: (kind, entries) => ({
    cte: `, things as (${entries(`kind >= '${kind}/' and kind < '${kind}0'`)})`,
    from: `from things t\njoin heads h on h.id = t.row_id`,
  }),
  withinThing: "e.row_id = t.row_id and e.ref = t.ref",
  meta: (entry) => `${entry}.meta`,
  withMeta: () => "",
  text: field,
  number: field,
  isFalse: (json, ...path) => `not ${field(json, ...path)}`,
  length: (json, ...path) => `json_array_length(${json}, '$.${path.join(".")}')`,
  elements: (json, list) => `json_each(${json}, '$.${list}') o`,
  first: "",
  json: (text) => text,
  runId: (heads) => field(`${heads}head`, "run_id"),
  time: (ms) => `strftime('%Y-%m-%dT%H:%M:%fZ', nullif(${ms}, 0) / 1000.0, 'unixepoch')`,
  dollars: (micro) => `${micro} / 1000000.0`,
});
