import { TapeError } from "../errors.ts";
import type { Access } from "../model/access.ts";

/** The tenant of a run: the credential's, or, without one, the tenant asked for. */
export function tenantOf(access: Access, asked: string): string {
  if (access.tenant === null) return asked;
  if (asked === "" || asked === access.tenant) return access.tenant;
  throw new TapeError("TENANT_NOT_GRANTED", `tenant ${asked} is not granted to this credential`, {
    ids: { tenant_id: asked },
  });
}

/** Which runs a list over many of them is for: `null` for all that the caller has. Errors: TENANT_NOT_GRANTED. */
export function tenantFilter(access: Access, asked: string): string | null {
  const tenant = tenantOf(access, asked);
  // Every row of a credential's partition is its tenant's.
  return access.tenant !== null || tenant === "" ? null : tenant;
}

/** R21: what a run may do is granted at its begin, and only by a credential that may. Errors: SCOPE_NOT_GRANTED. */
export function checkScopes(access: Access, asked: readonly string[]): void {
  const scope = asked.find((one) => access.scopes?.includes(one) === false);
  if (scope === undefined) return;
  throw new TapeError(
    "SCOPE_NOT_GRANTED",
    `this credential may not grant scope ${scope} to a run; begin the run without it, or have the server's rules allow it`,
    { ids: { scope } },
  );
}
