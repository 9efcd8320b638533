import { TapeError } from "../../../../errors.ts";
import { isLoopback } from "../../../../server/config-values.ts";
import { googleEndpoints, type Endpoints } from "./endpoints.ts";

/** The variables are gcloud's: https://cloud.google.com/sdk/docs/properties, `api_endpoint_overrides`. */
const prefix = "CLOUDSDK_API_ENDPOINT_OVERRIDES_";
/** Where gcloud's name of an API is another. */
const gcloudNames: Partial<Record<keyof Endpoints, string>> = { sqladmin: "SQL" };

/** The variable that moves an API. */
export const overrideVariable = (api: keyof Endpoints): string => `${prefix}${gcloudNames[api] ?? api.toUpperCase()}`;

/**
 * APIs that are reached by other addresses than Google's own: Private Service Connect, a proxy, a test. Tokens are sent
 * there, so it must be TLS, or this machine. Errors: CONFIG_INVALID.
 */
export function endpointOverrides(environment: Readonly<Record<string, string | undefined>>): Partial<Endpoints> {
  const apis = Object.keys(googleEndpoints) as readonly (keyof Endpoints)[];
  return Object.fromEntries(
    apis.flatMap((api) => {
      const variable = overrideVariable(api);
      const text = environment[variable];
      return text === undefined || text === "" ? [] : [[api, checked(text, variable)]];
    }),
  );
}

function checked(text: string, variable: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (isSafe) return text.replace(/\/+$/, "");
  throw new TapeError("CONFIG_INVALID", `${variable} must be an https:// address; tokens are sent there`);
}
