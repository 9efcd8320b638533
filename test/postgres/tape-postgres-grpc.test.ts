import { testServedTape } from "../served-places.ts";
import { describePostgres } from "./shared-server.ts";
import { postgresPlaces } from "./tape-places.ts";

describePostgres("PostgreSQL behind gRPC", () => {
  testServedTape("postgres-grpc", postgresPlaces("newest"));
});
