import { clientOptions, type ClientOptions } from "../google/client-options.ts";
import type { BigtableTarget } from "./bigtable-url.ts";
import { clientPackages } from "./driver.ts";

/** Options that every client of this place is made with. Rejects without usable credentials. */
export const placeOptions = ({
  project,
  emulator,
}: Pick<BigtableTarget, "project" | "emulator">): Promise<ClientOptions> =>
  clientOptions({ packages: clientPackages, project, emulator });
