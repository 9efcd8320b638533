import { describe, expect, it } from "vitest";
import type { MigrationStep } from "../store.ts";
import { migrationChecksum, migrationPending, newestFormat, pendingMigrations } from "./migration.ts";

const first: MigrationStep = { id: 1, name: "one", statements: "create table a (x)" };
const second: MigrationStep = { id: 2, name: "two", statements: "create table b (x)" };
const known = [first, second];
const applied = (...steps: readonly MigrationStep[]): { id: number; checksum: string }[] =>
  steps.map((step) => ({ id: step.id, checksum: migrationChecksum(step) }));

describe("pendingMigrations", () => {
  it("is what was not yet applied, in order", () => {
    expect(pendingMigrations(known, [], "x.db")).toEqual(known);
    expect(pendingMigrations(known, applied(first), "x.db")).toEqual([second]);
    expect(pendingMigrations(known, applied(first, second), "x.db")).toEqual([]);
  });

  it("refuses a newer format, naming both", () => {
    const newer = [...applied(first, second), { id: 3, checksum: "" }];
    expect(() => pendingMigrations(known, newer, "x.db")).toThrow(
      "x.db has format 3, this version of Tape reads up to 2; upgrade Tape",
    );
  });

  it("refuses a step that is known otherwise", () => {
    const other = applied({ ...first, statements: "create table c (x)" });
    expect(() => pendingMigrations(known, other, "x.db")).toThrow("step 1 (one) is not the one known here");
  });
});

it("the format is the number of the last step", () => {
  expect(newestFormat(known)).toBe(2);
  expect(newestFormat([])).toBe(0);
});

it("a pending migration says what to do", () => {
  const error = migrationPending(known, "x.db");
  expect(error.reason).toBe("MIGRATION_PENDING");
  expect(error.message).toBe("x.db is not ready: 2 migration steps are pending; run `tape migrate`");
});
