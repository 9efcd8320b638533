import { afterAll, describe, it } from "vitest";
import { testTape } from "../../src/testing/index.ts";
import { describePgBouncer } from "./shared-server.ts";
import { postgresPlaces } from "./tape-places.ts";

describePgBouncer("PgBouncer", () => {
  const places = postgresPlaces("pgbouncer");
  afterAll(() => places.discard());
  testTape({ name: "pgbouncer", open: (tapeCase) => places.harness(tapeCase), runner: { describe, it } });
});
