import { placeOfStore } from "../../../../store/open-store.ts";
import { fail, ok, warn, type Finding } from "../../finding.ts";
import { gcloud, note } from "../commands.ts";
import { examination, onSight, type Examination } from "../examination.ts";
import { isLocal, isSamePlace, storePlaceName } from "../store/place-name.ts";
import { addVersion, secretCommand, secretLook, versionLook, type SecretRef } from "./find-secret.ts";
import { readersCheck } from "./readers-check.ts";

const versionCheck: Examination = examination("gcp.secret.version", (at, id) =>
  onSight(id, at.secret(), (ref) =>
    onSight(id, at.see(secretLook(ref)), (secret) =>
      onSight(id, at.see(versionLook(ref)), (version): Finding => {
        const number = version.at("name").text?.split("/").at(-1) ?? ref.version;
        const state = version.at("state").text ?? "of unknown state";
        const what = `version ${number} of secret ${ref.name}`;
        if (state === "DISABLED") {
          const enable = gcloud("secrets versions enable", [number], { secret: ref.name, project: ref.project });
          return fail(id, `${what}, which the server reads, is disabled`, [enable]);
        }
        if (state !== "ENABLED") return fail(id, `${what}, which the server reads, is ${state}`, [addVersion(ref)]);
        const expiry = secret.at("expireTime").text;
        if (expiry === undefined) return ok(id, `${what} is enabled`);
        return warn(id, `${what} is enabled, but the secret ends by itself at ${expiry}`, [
          secretCommand("update", ref, { "remove-expiration": true }),
        ]);
      }),
    ),
  ),
);

const urlCheck: Examination = examination("gcp.secret.store", async (at, id) => {
  const secret = await at.secret();
  if (secret.kind === "unseen") return secret.finding(id);
  return onSight(id, at.payload(), async (payload): Promise<Finding> => {
    const { name } = secret.value;
    if (payload.kind === "malformed") {
      return fail(id, `secret ${name} does not hold a store URL: ${payload.why}`, mendPayload(secret.value));
    }
    const says = `secret ${name} holds a ${payload.scheme} URL`;
    const { place } = payload;
    if (isLocal(place)) {
      return fail(id, `${says}: the journal would be in the container, and end with it`, mendPayload(secret.value));
    }
    const checked = await placeOfStore(at.options.storeUrl).catch(() => undefined);
    if (checked === undefined || isLocal(checked)) return ok(id, says);
    if (isSamePlace(place, checked)) return ok(id, `${says}, that of the store that is checked`);
    return warn(id, `${says}, but not that of the store that is checked, ${storePlaceName(checked)}`, [
      note("to check the store that the server uses: unset TAPE_STORE, leave out --store"),
      ...mendPayload(secret.value),
    ]);
  });
});

const mendPayload = (ref: SecretRef): readonly string[] => [note("with the URL in TAPE_STORE:"), addVersion(ref)];

/** What is checked of the secret that holds the store URL. */
export const secretExaminations: readonly Examination[] = [versionCheck, urlCheck, readersCheck];
