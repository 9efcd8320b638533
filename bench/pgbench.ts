import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "pg";
import { clientConfig } from "../src/store/postgres/client-config.ts";
import { parsePostgresUrl } from "../src/store/postgres/postgres-url.ts";
import { quoteIdentifier } from "../src/store/postgres/schema.ts";
import { newestPostgres } from "../test/postgres/find-postgres.ts";
import { serverEnvironment } from "../test/postgres/server-account.ts";
import { appendScript, scriptVariables, type SampleLine } from "./append-script.ts";
import type { Contender, Measured } from "./contender.ts";
import { measureLoad } from "./cpu.ts";
import type { Place } from "./postgres-place.ts";

/** One way to call pgbench. */
export interface PgbenchOptions {
  readonly name: string;
  readonly place: Place;
  readonly line: SampleLine;
  readonly rowsPerStatement: number;
  readonly clients: number;
  readonly databasePid: number | undefined;
  /** For counting what was committed. */
  readonly observer: Client;
}

/** The program; throws, saying how to get it. */
export function findPgbench(): string {
  const program = newestPostgres().tools("pgbench");
  if (program !== undefined) return program;
  throw new Error(
    "no pgbench found, which this is compared with: `apt-get install postgresql` (or postgresql-contrib)",
  );
}

/** Has pgbench do appends; its rate is that of the rows that really are in the table afterwards. */
export function pgbench(options: PgbenchOptions): Contender {
  const { name, clients, rowsPerStatement, place, observer } = options;
  const program = findPgbench();
  let series = 0;
  const count = async (): Promise<number> => {
    const { rows } = await observer.query<{ n: string }>(
      `select count(*) as n from ${quoteIdentifier(place.schema)}.tape_entries`,
    );
    return Number(rows[0]?.n);
  };
  return {
    name,
    concurrencies: [clients],
    measure: async (_, milliseconds) => {
      series += 1;
      const before = await count();
      const measured = await callPgbench(program, options, series, Math.max(1, Math.round(milliseconds / 1000)));
      const written = (await count()) - before;
      const told = measured.steps * rowsPerStatement;
      if (written !== told) throw new Error(`pgbench tells of ${told} appends, and there are ${written}`);
      return { ...measured, commits: written };
    },
    close: async () => undefined,
  };
}

async function callPgbench(
  program: string,
  { place, line, rowsPerStatement, clients, databasePid }: PgbenchOptions,
  series: number,
  seconds: number,
): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "tape-pgbench-"));
  try {
    const script = join(folder, "append.sql");
    await writeFile(script, appendScript(place.schema, rowsPerStatement));
    const length = ["-T", String(seconds), "-c", String(clients), "-j", String(Math.min(clients, 2))];
    const log = ["--log", "--log-prefix", join(folder, "log")];
    const variables = scriptVariables(line, series * 100 + rowsPerStatement);
    const loaded = measureLoad({ databasePid });
    const stdout = await answer(program, ["-n", "-M", "prepared", ...length, ...log, ...variables, "-f", script], {
      ...serverEnvironment(),
      ...(await libpqEnvironment(place.storeUrl)),
    });
    const load = loaded();
    const steps = figure(stdout, /number of transactions actually processed: (\d+)/);
    return {
      steps,
      commits: steps * rowsPerStatement,
      seconds: steps / figure(stdout, /tps = ([\d.]+)/),
      latencies: await readLatencies(folder),
      load,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The arguments are kilobytes of payload, so the error of `execFile`, which repeats them, is no help. */
async function answer(program: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} failed: ${stderr.trim() || String(error.code)}`));
    });
  });
}

function figure(output: string, pattern: RegExp): number {
  const found = pattern.exec(output)?.[1];
  if (found === undefined) throw new Error(`pgbench's answer is not understood: ${output}`);
  return Number(found);
}

/** Each line of a log: client, transaction, microseconds and so on. */
async function readLatencies(folder: string): Promise<Float64Array> {
  const logs = (await readdir(folder)).filter((name) => name.startsWith("log."));
  const texts = await Promise.all(logs.map((name) => readFile(join(folder, name), "utf8")));
  const lines = texts.flatMap((text) => text.trimEnd().split("\n"));
  return Float64Array.from(lines, (line) => Number(line.split(" ")[2]) / 1000).toSorted();
}

/** What libpq needs to connect as the store does, with the same settings of the session. Not by arguments: they are seen. */
async function libpqEnvironment(storeUrl: string): Promise<Record<string, string>> {
  const target = parsePostgresUrl(storeUrl);
  const { user, database, options } = await clientConfig(target);
  const named = {
    PGHOST: target.host,
    PGPORT: String(target.port),
    PGUSER: user,
    PGPASSWORD: target.password,
    PGDATABASE: database,
    PGOPTIONS: options,
    PGSSLMODE: target.sslmode,
    PGSSLROOTCERT: target.sslrootcert,
    PGSSLCERT: target.sslcert,
    PGSSLKEY: target.sslkey,
  };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
