import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { findPostgres, newestPostgres } from "./find-postgres.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tape-find-"));
  chmodSync(folder, 0o755);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function program(name: string, text: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

describe("looking for PostgreSQL", () => {
  it("takes the folder that is named, alone, and asks the program for its version", () => {
    program("postgres", "echo 'postgres (PostgreSQL) 17beta2 (Debian)'");
    program("initdb", "");
    program("pg_dump", "");
    vi.stubEnv("TAPE_TEST_POSTGRES", folder);
    const found = findPostgres();
    expect(found).toMatchObject([{ version: 17, bin: folder }]);
    expect(found[0]?.tools("pg_dump")).toBe(join(folder, "pg_dump"));
    expect(found[0]?.tools("pg_restore")).toBeUndefined();
  });

  it("takes none that does not run, or comes without initdb", () => {
    vi.stubEnv("TAPE_TEST_POSTGRES", folder);
    program("postgres", "echo 'postgres (PostgreSQL) 17.1'");
    expect(findPostgres()).toEqual([]);
    program("initdb", "");
    program("postgres", "exit 1");
    expect(findPostgres()).toEqual([]);
    expect(newestPostgres).toThrow("apt-get install postgresql");
  });

  it("follows a link to the server, beside which the rest is", () => {
    vi.stubEnv("TAPE_TEST_POSTGRES", join(folder, "link"));
    program("postgres", "echo 'postgres (PostgreSQL) 17.1'");
    program("initdb", "");
    symlinkSync(folder, join(folder, "link"));
    expect(findPostgres()).toMatchObject([{ bin: folder }]);
  });

  it("puts the newest first and has no version twice", () => {
    const versions = findPostgres().map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => b - a));
  });
});
