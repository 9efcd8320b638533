import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TapeError } from "../../src/errors.ts";
import { createStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { appendTo, entry, patternBytes, rowId } from "../../src/testing/test-store/material.ts";
import { ask } from "./foreign-session.ts";
import { startOldServer } from "./old-server.ts";
import { startPostgres, type PostgresServer } from "./postgres-server.ts";
import { describePostgres } from "./shared-server.ts";
import { smallDisk } from "./small-disk.ts";

const secret = "hunter2";

/** What a store that is opened says: one line, without the password. */
async function refusal(url: string): Promise<TapeError> {
  const store = await createStore(url);
  const error: unknown = await store.migrate({ dryRun: false }).catch((caught: unknown) => caught);
  await store.close();
  if (!(error instanceof TapeError)) throw new TypeError(`not refused: ${inspect(error)}`);
  expect(error.message).not.toMatch(/\p{Cc}/u);
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  return error;
}

describePostgres("a database that cannot hold a journal", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ hba: "host all needs_password all scram-sha-256\nhost all all all trust\n" });
    await ask(server.url(), `create role needs_password login password 'right'`);
  });
  afterAll(() => server.stop());
  const at = (database: string, user = "postgres"): string =>
    `postgres://${user}:${secret}@127.0.0.1:${server.port}/${database}`;

  it("a wrong password, a wrong database", async () => {
    const password = await refusal(at("postgres", "needs_password"));
    expect(password).toMatchObject({ reason: "STORE_NOT_USABLE" });
    expect(password.message).toContain("check both in the store URL");
    const database = await refusal(at("nowhere"));
    expect(database).toMatchObject({ reason: "STORE_NOT_USABLE" });
    expect(database.message).toContain('database "nowhere" does not exist; create it');
  });

  it("a server that is too old", async () => {
    const old = await startOldServer("120020");
    try {
      const error = await refusal(`postgres://u:${secret}@127.0.0.1:${old.port}/tape`);
      expect(error.reason).toBe("STORE_NOT_USABLE");
      expect(error.message).toContain("it is PostgreSQL 12, and Tape needs 13 or newer; upgrade the server");
    } finally {
      await old.close();
    }
  });

  it("a read-only replica", async () => {
    const replica = await startPostgres({ prepare: (folder) => writeFile(join(folder, "standby.signal"), "") });
    try {
      const error = await refusal(replica.url());
      expect(error.reason).toBe("STORE_NOT_USABLE");
      expect(error.message).toContain("it is a read-only replica; name the primary in the store URL");
    } finally {
      await replica.stop();
    }
  });

  it("transactions that only read", async () => {
    await ask(server.url(), "create database only_reads");
    await ask(server.url(), "alter database only_reads set default_transaction_read_only = on");
    const error = await refusal(at("only_reads"));
    expect(error.reason).toBe("STORE_NOT_USABLE");
    expect(error.message).toContain("default_transaction_read_only");
  });

  it("an encoding that cannot hold every text", async () => {
    await ask(server.url(), "create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0");
    const error = await refusal(at("latin"));
    expect(error.reason).toBe("STORE_NOT_USABLE");
    expect(error.message).toContain("make a database with encoding UTF8");
  });

  it("a disk that is full: an append that is refused has written nothing, and reading goes on", async ({ skip }) => {
    const disk = await smallDisk(8, server.dataFolder).catch(() => undefined);
    if (disk === undefined) {
      skip("this user may not mount a small disk; run the tests as root to see what a full one does");
      return;
    }
    let store: Store | undefined;
    try {
      await ask(server.url(), `create tablespace small location '${disk.folder}'`);
      const small = await createStore(
        `${at("postgres")}?schema=scarce&options=${encodeURIComponent("-c default_tablespace=small")}`,
      );
      store = small;
      await small.migrate({ dryRun: false });
      const fill = async (row: number): Promise<number> => {
        const body = patternBytes(500_000, row);
        await small.append([appendTo(`row-${row}`, 0, { entries: [entry(1, { body })] })]);
        return row < 40 ? fill(row + 1) : row;
      };
      const error: unknown = await fill(1).catch((caught: unknown) => caught);
      if (!(error instanceof TapeError)) throw new TypeError(`not refused: ${inspect(error)}`);
      expect(error.reason).toBe("STORE_UNAVAILABLE");
      expect(error.message).toContain("the server's disk is full; make room on it");
      const heads = await Promise.all(
        Array.from({ length: 40 }, (_, row) => small.read(rowId(`row-${row + 1}`), { limit: 0 })),
      );
      const written = heads.filter((slice) => slice !== null).length;
      expect(written).toBeGreaterThan(3);
      expect(heads.slice(written).every((slice) => slice === null)).toBe(true);
    } finally {
      await store?.close();
      await ask(server.url(), "drop schema if exists scarce cascade").catch(() => undefined);
      await ask(server.url(), "drop tablespace if exists small").catch(() => undefined);
      await disk.remove();
    }
  });
});
