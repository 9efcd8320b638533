import { afterAll, describe, it } from "vitest";
import { testTape } from "../../src/testing/index.ts";
import { describePgBouncer } from "./shared-server.ts";
import { isInSample } from "../tape-places.ts";
import { postgresPlaces } from "./tape-places.ts";

describePgBouncer("PgBouncer", () => {
  const places = postgresPlaces("pgbouncer");
  afterAll(() => places.discard());
  testTape({
    includes: isInSample,
    name: "pgbouncer",
    open: (tapeCase) => places.harness(tapeCase),
    runner: { describe, it },
  });
});
