import { clientOptions, type ClientOptions } from "../google/client-options.ts";
import { clientPackages } from "./driver.ts";
import type { SpannerTarget } from "./spanner-url.ts";

/** Options that every client of this place is made with. Rejects without usable credentials. */
export const placeOptions = ({
  project,
  emulator,
}: Pick<SpannerTarget, "project" | "emulator">): Promise<ClientOptions> =>
  clientOptions({ packages: clientPackages, project, emulator });
