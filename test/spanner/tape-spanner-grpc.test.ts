import { describeSpanner } from "../emulators/shared-emulator.ts";
import { testServedTape } from "../served-places.ts";
import { isInSample } from "../tape-places.ts";
import { spannerPlaces } from "./databases.ts";

describeSpanner("Spanner behind gRPC", () => {
  testServedTape("spanner-grpc", spannerPlaces(), isInSample);
});
