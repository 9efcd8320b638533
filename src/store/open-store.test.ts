import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { createStore, maskUrl } from "./open-store.ts";

const refusal = async (url: string): Promise<TapeError> => {
  const error: unknown = await createStore(url).catch((caught: unknown) => caught);
  if (!(error instanceof TapeError)) throw new TypeError(`${url} was accepted`);
  return error;
};

describe("createStore", () => {
  it.each(["memory:", "memory", "MEMORY:"])("%s is the memory store", async (url) => {
    const { capabilities } = await createStore(url);
    expect(capabilities).toMatchObject({ kind: "memory", durable: false, exclusive: true });
  });

  it("sqlite::memory: is SQLite in memory", async () => {
    const { capabilities } = await createStore("sqlite::memory:");
    expect(capabilities).toMatchObject({ kind: "sqlite", durable: false, exclusive: true });
  });

  it.each([
    ["sqlite:{}/tape.db", "tape.db"],
    ["sqlite://{}/tape.db", "tape.db"],
    ["SQLite:{}/a%20b%3Fc%25.db", "a b?c%.db"],
    ["sqlite:{}/a b.db", "a b.db"],
    ["sqlite:{}/file:x.db", "file:x.db"],
  ])("%s names a file", async (pattern, file) => {
    const directory = mkdtempSync(join(tmpdir(), "tape-url-"));
    try {
      const store = await createStore(pattern.replace("{}", directory));
      expect(store.capabilities).toMatchObject({ kind: "sqlite", durable: true, exclusive: false });
      expect(readdirSync(directory), "creating a store must not touch the disk").toEqual([]);
      await store.migrate({ dryRun: false });
      expect(readdirSync(directory)).toContain(file);
      await store.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([
    ["", "empty"],
    ["tape.db", "no scheme"],
    ["./tape.db", "no scheme"],
    ["sqlite:", "path is missing"],
    ["sqlite://", "no host"],
    ["sqlite://tape.db", "no host"],
    ["sqlite://user:hunter2@host/tape.db", "no host"],
    ["sqlite:tape.db?mode=memory", "no parameters"],
    ["sqlite:tape.db#x", "no parameters"],
    ["sqlite::memory:?cache=shared", "no parameters"],
    ["sqlite::memory:x", "sqlite::memory:"],
    ["sqlite:a%zz.db", "%25"],
    ["sqlite:a%00b.db", "control characters"],
    ["memory:x", "takes nothing"],
    ["mysql://root@localhost/tape", "no store of that kind"],
    ["postgres://root@localhost/tape?shema=x", "shema"],
    ["bigtable:p/i/t", "bigtable://project/instance/table"],
    ["spanner://p/i", "spanner://project/instance/database"],
  ])("%j is refused and says what exists", async (url, why) => {
    const error = await refusal(url);
    expect(error.reason).toBe("STORE_URL_INVALID");
    expect(error.message).toContain(why);
    expect(error.message).toContain("sqlite:<path>");
    expect(error.message).not.toContain("\n");
  });

  it.each(["postgres", "postgresql", "alloydb"])(
    "%s:// names a database, and connects to nothing yet",
    async (scheme) => {
      const store = await createStore(`${scheme}://tape:hunter2@localhost/tape`);
      const kind = scheme === "alloydb" ? "alloydb" : "postgres";
      expect(store.capabilities).toMatchObject({ kind, durable: true, exclusive: false, atomicIndex: true });
      await store.close();
    },
  );

  it.each([
    "postgres://tape:hunter2@db/tape?sslmod=require",
    "mysql://tape:hunter2@db",
    "sqlite://a:hunter2@b",
    "nonsense://x:hunter2@",
  ])("%s is refused without its password", async (url) => {
    const error = await refusal(url);
    expect(error.message).not.toContain("hunter2");
  });
});

describe("maskUrl", () => {
  it.each([
    ["sqlite:./tape.db", "sqlite:./tape.db"],
    ["postgres://tape@db/tape", "postgres://tape@db/tape"],
    ["postgres://tape:pw@db:5432/tape", "postgres://tape:***@db:5432/tape"],
    ["postgres://tape:p@ss:/w@db/tape", "postgres://tape:***@db/tape"],
    ["postgres://:pw@db", "postgres://:***@db"],
    ["postgres://db/tape?password=pw&sslmode=require", "postgres://db/tape?password=***&sslmode=require"],
    ["postgres://db/tape?sslmode=require&access_token=pw", "postgres://db/tape?sslmode=require&access_token=***"],
    ["postgres://a:pw\nx@db", "postgres://a:***@db"],
  ])("%j", (url, masked) => {
    expect(maskUrl(url)).toBe(masked);
  });
});
