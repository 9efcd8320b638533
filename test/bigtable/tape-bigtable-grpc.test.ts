import { describeBigtable } from "../emulators/shared-emulator.ts";
import { testServedTape } from "../served-places.ts";
import { isInSample } from "../tape-places.ts";
import { bigtablePlaces } from "./journals.ts";

describeBigtable("Bigtable behind gRPC", (host) => {
  testServedTape("bigtable-grpc", bigtablePlaces(host), isInSample);
});
