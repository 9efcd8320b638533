import { afterAll, describe, it } from "vitest";
import { testTape } from "../../src/testing/index.ts";
import { describePostgres } from "./shared-server.ts";
import { postgresPlaces } from "./tape-places.ts";

describePostgres("PostgreSQL", () => {
  const places = postgresPlaces("newest");
  afterAll(() => places.discard());
  testTape({ name: "postgres", open: (tapeCase) => places.harness(tapeCase), runner: { describe, it } });
});
