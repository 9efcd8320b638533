import { placeOfStore, type StorePlace } from "../../../../store/open-store.ts";
import { fail, untold } from "../../finding.ts";
import { note } from "../commands.ts";
import type { Installation } from "../installation.ts";
import { seen, unseen, type Sight } from "../sight.ts";
import { storeVariable } from "../service/store-setting-check.ts";
import { isAlloydbProxy } from "./proxy-container.ts";
import { isLocal, storePlaceName } from "./place-name.ts";

/** The store that is checked, and how it is known. */
export interface FoundStore {
  readonly place: StorePlace;
  readonly by: string;
}

/**
 * The store of the installation: the one that this check-up was told, unless that is a local one, as it is by default; else
 * the one that the secret or the service's settings name; else what a proxy beside the server lets guess.
 */
export async function findStore(at: Installation): Promise<Sight<FoundStore>> {
  const told = await placeOfStore(at.options.storeUrl).catch(() => undefined);
  if (told !== undefined && !isLocal(told)) return seen({ place: told, by: `as ${storeVariable} says here` });
  const payload = await at.payload();
  if (payload.kind === "seen" && payload.value.kind === "store") {
    return named(payload.value.place, "as the secret says");
  }
  const service = await at.service();
  if (service.kind === "seen") {
    const setting = service.value.setting(storeVariable);
    const place = setting?.kind === "literal" ? await placeOfStore(setting.value).catch(() => undefined) : undefined;
    if (place !== undefined) return named(place, "as the service's settings say");
    if (service.value.sidecars.some(isAlloydbProxy)) {
      const guess = { host: "127.0.0.1", port: 5432, database: undefined, instance: undefined, iam: false };
      return seen({ place: { kind: "alloydb", ...guess }, by: "by the proxy beside the server" });
    }
  }
  return unseen((id) =>
    untold(id, "which store the server uses cannot be told: neither TAPE_STORE nor the secret says it", [
      note("name it in TAPE_STORE, or get leave to read the secret: see gcp.secret.store"),
    ]),
  );
}

function named(place: StorePlace, by: string): Sight<FoundStore> {
  if (!isLocal(place)) return seen({ place, by });
  return unseen((id) =>
    fail(id, `the server uses ${storePlaceName(place)}, ${by}: it is in the container, and ends with it`, [
      note("make a store that lasts (docs/stores), and put its URL into the secret: see gcp.secret.store"),
    ]),
  );
}
