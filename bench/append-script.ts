import type { Client } from "pg";
import { quoteIdentifier } from "../src/store/postgres/schema.ts";
import { statementsFor } from "../src/store/postgres/statements.ts";

/** Commits of a run of ten steps: each step has two, and the run begins and ends. */
const commitsOfRun = 22;

/** A line as Tape writes it, by the name of the variable that holds it in the script. */
export type SampleLine = Readonly<Record<(typeof variables)[number], string>>;

const variables = ["row", "commit", "head", "kind", "ref", "dims", "meta", "body", "idx", "key"] as const;

/** Takes the first run of a journal for a sample; it must be under way, as runs are while they are written. */
export async function sampleLine(client: Client, schema: string): Promise<SampleLine> {
  const table = (name: string): string => `${quoteIdentifier(schema)}.${name}`;
  const { rows } = await client.query<SampleLine>(`
    select r.row, r.commit_id as commit, r.head, e.kind, e.ref, e.dims, e.meta,
      encode(e.body, 'hex') as body, x.idx, x.key
    from ${table("tape_rows")} r join ${table("tape_entries")} e on e.row_id = r.id
      join ${table("tape_index")} x on x.row = r.row
    where e.body is not null order by r.id, e.seq desc limit 1`);
  const [line] = rows;
  if (line === undefined) throw new Error("there is no run to take as a sample");
  return line;
}

/**
 * The store's own append statement as a script for pgbench: so many rows a statement, each with one new entry, in runs
 * of as many commits as Tape's; a run's first commit makes two index keys and its last removes them. All arrays are made
 * inside the server, so that pgbench sends next to nothing: this is what the server alone can do.
 */
export function appendScript(schema: string, rowsPerStatement: number): string {
  const each = (expression: string): string =>
    `array(select ${expression} from generate_series(1, ${rowsPerStatement}) n order by n)`;
  const fill = (expression: string): string => `array_fill(${expression}, array[${rowsPerStatement}])`;
  const keys = (expression: string, atVersion: number): string =>
    `array(select ${expression} from generate_series(1, ${rowsPerStatement}) n, generate_series(1, 2) k
      where :v::bigint = ${atVersion} order by n, k)`;
  const indexKeys = (atVersion: number): readonly string[] => [
    keys("n::bigint", atVersion),
    keys("(:idx::text || k)", atVersion),
    keys("(:key::text)", atVersion),
  ];
  const values = [
    each(
      "(:row::text || '/' || :series::text || '/' || :client_id::text || '/' || :run::text || '/' || lpad(n::text, 4, '0'))",
    ),
    fill(":v::bigint"),
    fill(":commit::text"),
    fill(":head::text"),
    each("n::bigint"),
    fill("(:v::bigint + 1)"),
    fill(":kind::text"),
    fill(":ref::text"),
    fill(":dims::text"),
    fill(":meta::text"),
    fill("1767225600000::bigint"),
    fill("''::text"),
    fill("decode(:body::text, 'hex')"),
    ...indexKeys(commitsOfRun - 1),
    ...indexKeys(0),
    "'{}'",
    "'{}'",
    each("(n - 1)::bigint"),
  ];
  const text = statementsFor(schema).append.text.replaceAll(/\$(\d+)/g, (parameter, number: string) => {
    const value = values[Number(number) - 1];
    if (value === undefined)
      throw new Error(`the append statement has a parameter ${parameter} that is not known here`);
    return value;
  });
  return `\\set n :n + 1\n\\set run :n / ${commitsOfRun}\n\\set v :n % ${commitsOfRun}\n${text.trim()};\n`;
}

/** The variables of a script, as pgbench takes them; `series` tells apart the rows of each call of pgbench. */
export function scriptVariables(line: SampleLine, series: number): readonly string[] {
  const all = { ...line, n: "-1", series: String(series) };
  return Object.entries(all).flatMap(([name, value]) => ["-D", `${name}=${value}`]);
}
