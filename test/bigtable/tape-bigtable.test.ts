import { afterAll, describe, it } from "vitest";
import { testTape } from "../../src/testing/index.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { isNoOddWalk } from "../tape-places.ts";
import { bigtablePlaces } from "./journals.ts";

describeBigtable("Bigtable", (host) => {
  const places = bigtablePlaces(host);
  afterAll(() => places.discard());
  testTape({
    includes: isNoOddWalk,
    name: "bigtable",
    open: (tapeCase) => places.harness(tapeCase),
    runner: { describe, it },
  });
});
