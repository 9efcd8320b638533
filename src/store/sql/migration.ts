import { createHash } from "node:crypto";
import { TapeError } from "../../errors.ts";
import type { MigrationStep } from "../store.ts";

/** What a journal says was done to it: a row of `tape_migrations`. */
export interface AppliedMigration {
  readonly id: number;
  /** {@link migrationChecksum} of the statements that ran. */
  readonly checksum: string;
}

/** Fingerprint of a migration's statements: SHA-256, hex. */
export const migrationChecksum = (step: MigrationStep): string =>
  createHash("sha256").update(step.statements).digest("hex");

/** The number of the last step: the format that this version writes. */
export const newestFormat = (known: readonly MigrationStep[]): number => known.at(-1)?.id ?? 0;

/**
 * The steps that a journal still lacks. Steps are numbered from 1 without gaps and never change once released.
 * `where` names the journal for the message. Errors: FORMAT_NEWER, STORE_NOT_USABLE when its past is another one.
 */
export function pendingMigrations(
  known: readonly MigrationStep[],
  applied: readonly AppliedMigration[],
  where: string,
): readonly MigrationStep[] {
  refuseNewer(Math.max(0, ...applied.map((migration) => migration.id)), known, where);
  const checksums = new Map(applied.map((migration) => [migration.id, migration.checksum]));
  for (const step of known) {
    const checksum = checksums.get(step.id);
    if (checksum !== undefined && checksum !== migrationChecksum(step)) {
      throw new TapeError(
        "STORE_NOT_USABLE",
        `${where} was migrated by another build of Tape: step ${step.id} (${step.name}) is not the one known here; use the version that made it`,
      );
    }
  }
  return known.filter((step) => !checksums.has(step.id));
}

/** Refuses a journal whose format number is higher than any known. Errors: FORMAT_NEWER. */
export function refuseNewer(format: number, known: readonly MigrationStep[], where: string): void {
  if (format > newestFormat(known)) {
    throw new TapeError(
      "FORMAT_NEWER",
      `${where} has format ${format}, this version of Tape reads up to ${newestFormat(known)}; upgrade Tape`,
    );
  }
}

/** The refusal of `open()` when steps are pending. */
export const migrationPending = (pending: readonly MigrationStep[], where: string): TapeError =>
  new TapeError(
    "MIGRATION_PENDING",
    `${where} is not ready: ${pending.length} migration ${pending.length === 1 ? "step is" : "steps are"} pending; run \`tape migrate\``,
  );
