import { warn } from "../../model/finding.ts";
import type { StoreExamination } from "../examination.ts";
import { emulatorFinding } from "../google/emulated.ts";
import { whyExperimental } from "./experimental-gate.ts";
import { parseSpannerUrl } from "./spanner-url.ts";

/** What there is to say of a Spanner database before it is opened. Errors: STORE_URL_INVALID. */
export function examineSpanner(url: string, emulatorHost: string | undefined): StoreExamination {
  const emulator = parseSpannerUrl(url).emulator ?? emulatorHost;
  return {
    place: async function* () {
      yield warn("spanner.experimental", `spanner:// is experimental: ${whyExperimental}`, [
        "# for production choose alloydb:// or postgres:// (proved on PostgreSQL), or bigtable://",
      ]);
      yield emulatorFinding("spanner.emulator", { emulator, variable: "SPANNER_EMULATOR_HOST" });
    },
    journal: async function* () {},
    live: async function* () {},
  };
}
