import { describe, it } from "vitest";
import { testStore } from "../../src/testing/index.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { spannerHarness } from "./databases.ts";

describeSpanner("Spanner", (host) => {
  testStore({ name: "spanner", runner: { describe, it }, ...spannerHarness(host) });
});
