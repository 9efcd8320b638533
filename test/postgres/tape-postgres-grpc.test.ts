import { testServedTape } from "../served-places.ts";
import { describePostgres } from "./shared-server.ts";
import { isInSample } from "../tape-places.ts";
import { postgresPlaces } from "./tape-places.ts";

describePostgres("PostgreSQL behind gRPC", () => {
  testServedTape("postgres-grpc", postgresPlaces("newest"), isInSample);
});
