import { describe, it } from "vitest";
import { testStore } from "../../src/testing/index.ts";
import { describePgBouncer, describePostgres } from "./shared-server.ts";
import { postgresHarness } from "./store-harness.ts";

const runner = { describe, it };

describePostgres("PostgreSQL, the newest version", () => {
  testStore({ name: "postgres", runner, ...postgresHarness("newest") });
  testStore({ name: "postgres-polling", runner, ...postgresHarness("newest", "&listen=false") });
});

describePostgres(
  "PostgreSQL, an older version",
  () => testStore({ name: "postgres-older", runner, ...postgresHarness("oldest") }),
  "oldest",
);

describePgBouncer("PgBouncer", () => {
  testStore({ name: "pgbouncer", runner, ...postgresHarness("pgbouncer") });
});
