import { afterAll, describe, it } from "vitest";
import { testTape } from "../../src/testing/index.ts";
import { describeSpanner } from "../emulators/shared-emulator.ts";
import { isNoOddWalk } from "../tape-places.ts";
import { spannerPlaces } from "./databases.ts";

describeSpanner("Spanner", () => {
  const places = spannerPlaces();
  afterAll(() => places.discard());
  testTape({
    includes: isNoOddWalk,
    name: "spanner",
    open: (tapeCase) => places.harness(tapeCase),
    runner: { describe, it },
  });
});
