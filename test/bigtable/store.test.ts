import { describe, it } from "vitest";
import { testStore } from "../../src/testing/index.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { bigtableHarness } from "./journals.ts";

describeBigtable("Bigtable", (host) => {
  testStore({ name: "bigtable", runner: { describe, it }, ...bigtableHarness(host) });
});
