import { TapeError } from "../../errors.ts";

/** What lets the store start all the same. */
const gateVariable = "TAPE_SPANNER_EXPERIMENTAL";

/** Why it is only an experiment. */
export const whyExperimental =
  "it is complete and passes every suite on Google's emulator, but the emulator runs one read-write transaction at a time, so contention and latency were never measured on the real service";

/** The refusal to start, in one paragraph. */
export const notForProduction = (): TapeError =>
  new TapeError(
    "CONFIG_INVALID",
    `spanner:// is experimental and refused without ${gateVariable}=1: ${whyExperimental}. Choose alloydb:// or postgres:// (proved on PostgreSQL), bigtable:// or sqlite: instead; to go on all the same, set ${gateVariable}=1 and read docs/stores/spanner.md first`,
  );
