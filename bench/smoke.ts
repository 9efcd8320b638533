/**
 * Steps a second, durable, at 1, 16 and 64 concurrent runs: embedded and through gRPC, beside what the database does
 * without Tape, measured in the same minutes. A step is BeginEffect and CompleteEffect: two calls, two commits.
 *
 * `npm run bench:smoke -- [--store sqlite:|postgres|postgres://…] [milliseconds a measurement] [rounds]`
 *
 * `sqlite:`, the default, lies in a temporary folder; `postgres` is a server of our own there. On a server that a URL
 * names, schemas are made and dropped.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import type { Field } from "./field.ts";
import { postgresField } from "./postgres-field.ts";
import { sqliteField } from "./sqlite-field.ts";
import { printTable, Results } from "./table.ts";

/** A server that has just started does a fifth of what it does after some seconds: its code is compiled on the way. */
const warmUpMilliseconds = 4000;

const { values, positionals } = parseArgs({ options: { store: { type: "string" } }, allowPositionals: true });
const milliseconds = Number(positionals[0] ?? 1500);
const rounds = Number(positionals[1] ?? 3);

const field = await openField(values.store ?? "sqlite:");
const { contenders } = field;
try {
  console.log(`Node ${process.version}, ${cpus().length} cores; ${field.setting.join("\n")}`);
  console.log(`medians of ${rounds} interleaved rounds of ${milliseconds} ms after a warm-up; payloads of 500 bytes\n`);
  for (const contender of contenders) {
    await contender.measure(Math.max(...contender.concurrencies), warmUpMilliseconds);
  }
  const concurrencies = [...new Set(contenders.flatMap((one) => one.concurrencies))];
  const results = new Results();
  for (let round = 1; round <= rounds; round += 1) {
    for (const concurrency of concurrencies) {
      for (const contender of contenders.filter((one) => one.concurrencies.includes(concurrency))) {
        results.add(contender.name, concurrency, await contender.measure(concurrency, milliseconds));
      }
    }
    console.error(`round ${round} of ${rounds} done`);
  }
  printTable(field, results);
} finally {
  for (const contender of contenders) await contender.close();
  await field.close();
}

async function openField(store: string): Promise<Field> {
  if (store === "sqlite:") return sqliteField();
  if (store === "postgres") return postgresField(undefined);
  if (/^(?:postgres|postgresql|alloydb):/.test(store)) return postgresField(store);
  console.error("--store takes sqlite: (in a temporary folder), postgres (a server of our own) or a postgres:// URL");
  process.exit(2);
}
