import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { postgresStore } from "../../../src/store/postgres/postgres-store.ts";
import { migrations } from "../../../src/store/postgres/schema.ts";
import { newestFormat } from "../../../src/store/sql/migration.ts";
import type { Store } from "../../../src/store/store.ts";
import { appendTo, commit } from "../../../src/testing/test-store/material.ts";
import { findPostgres } from "../../postgres/find-postgres.ts";
import { ask } from "../../postgres/foreign-session.ts";
import type { SharedKind } from "../../postgres/server-desk.ts";
import { describePostgres, newSchema, sharedPostgres } from "../../postgres/shared-server.ts";
import { run } from "../../postgres/tape-process.ts";
import { everything, oracleOf, ranked, textContent, writeAll, type Content } from "../stored-content.ts";
import { schemaText } from "./catalog.ts";

/** Every format that was ever released. */
const formats = [1];

const writes = process.env["TAPE_WRITE_FIXTURES"] === "1";
const fixture = (name: string): string => join(import.meta.dirname, name);

async function newDatabase(kind: SharedKind): Promise<string> {
  const { directUrl } = await sharedPostgres(kind);
  const database = `format_${randomUUID().replaceAll("-", "")}`;
  await ask(directUrl, `create database ${database} template template0`);
  onTestFinished(async () => void (await ask(directUrl, `drop database ${database} with (force)`)));
  return directUrl.replace(/\/\w+$/, `/${database}`);
}

function storeAt(url: string): Store {
  const store = postgresStore(url);
  onTestFinished(() => store.close());
  return store;
}

/** Writes the newest format, with the oldest server there is: its dump is read by every newer one. */
async function writeDump(batches: Content): Promise<void> {
  const url = await newDatabase("oldest");
  const store = storeAt(url);
  await store.migrate({ dryRun: false });
  await writeAll(store, batches);
  const { version } = await sharedPostgres("oldest");
  const program =
    findPostgres()
      .find((one) => one.version === version)
      ?.tools("pg_dump") ?? "pg_dump";
  const { code, out, err } = await run(program, ["--inserts", "--no-owner", "--no-privileges", url]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  // Commands of psql, which the server does not understand.
  await writeFile(fixture(`postgres-${newestFormat(migrations)}.sql`), out.replaceAll(/^\\.*\n/gm, ""));
}

const kinds: readonly SharedKind[] = ["newest", "oldest"];

for (const kind of kinds) {
  describePostgres(
    `formats on the ${kind} PostgreSQL`,
    () => {
      it("the schema is the one that was looked at last", async () => {
        const schema = await newSchema(kind);
        onTestFinished(() => schema.drop());
        await storeAt(schema.url).migrate({ dryRun: false });
        const text = await schemaText(schema.directUrl, schema.name);
        if (writes) await writeFile(fixture("schema.txt"), text);
        expect(text).toBe(await readFile(fixture("schema.txt"), "utf8"));
      });

      it.each(formats)("a journal of format %i is read back exactly, and goes on", async (format) => {
        const batches = await textContent();
        if (writes && format === newestFormat(migrations) && kind === "newest") await writeDump(batches);
        const url = await newDatabase(kind);
        await ask(url, await readFile(fixture(`postgres-${format}.sql`), "utf8"));
        const store = storeAt(url);
        await store.migrate({ dryRun: false });
        const oracle = await oracleOf(batches);
        const before = await everything(store, batches);
        expect(ranked(before)).toEqual(ranked(await everything(oracle, batches)));
        const next = appendTo("p/run/b", 2, { commitId: "next" });
        const [[position = 0]] = [await commit(store, next), await commit(oracle, next)];
        expect(position).toBeGreaterThan(before.feed.at(-1)?.position ?? 0);
        const after = await everything(store, batches);
        expect(ranked(after)).toEqual(ranked(await everything(oracle, batches)));
        expect(after.feed.slice(0, -1)).toEqual(before.feed);
      });
    },
    kind,
  );
}

it("every format has its fixture", () => {
  expect(migrations.map(({ id }) => id)).toEqual(formats);
});
