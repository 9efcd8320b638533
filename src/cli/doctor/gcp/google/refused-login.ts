import type { JsonView } from "./json-view.ts";

/** Why there is nobody to ask as, and what to do about it. */
export interface RefusedLogin {
  readonly kind: "refused";
  readonly says: string;
  readonly mend: readonly string[];
}

export const variable = "GOOGLE_APPLICATION_CREDENTIALS";
export const login = "gcloud auth application-default login";

export const refused = (says: string, ...mend: readonly string[]): RefusedLogin => ({ kind: "refused", says, mend });

/**
 * Why no token was given. Nothing that the library says is handed on: its errors quote files and requests. `file`: the
 * credentials, if a file was named.
 */
export function noToken(error: unknown, file: JsonView | undefined): RefusedLogin {
  const response: unknown = error instanceof Error && "response" in error ? error.response : undefined;
  const status =
    typeof response === "object" && response !== null && "status" in response ? response.status : undefined;
  if (file?.at("type").text === "service_account") {
    const email = file.at("client_email").text;
    const key = `gcloud iam service-accounts keys create key.json --iam-account=${email ?? "ADDRESS"}`;
    if (status === 400 || status === 401) {
      return refused(
        `Google does not accept the key of service account ${email ?? "of unknown name"}: it was deleted or disabled, or the clock is wrong`,
        key,
      );
    }
    if (typeof status !== "number" && !isOffline(error)) {
      return refused(`the file that ${variable} names holds no usable key`, key);
    }
  }
  if (typeof status === "number" && status < 500 && status !== 429) {
    return refused("Google does not accept the login any more: it has expired or was revoked", login);
  }
  if (typeof status === "number" || isOffline(error)) {
    return refused(
      `Google gave no access token${typeof status === "number" ? ` (${status})` : ": it cannot be reached"}`,
      "# check the network, then try again",
    );
  }
  return refused(
    `there are no credentials for Google Cloud: ${variable} is not set, gcloud has no login, and this machine has no service account`,
    login,
  );
}

const isOffline = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /^(?:E(?!RR_)[A-Z_]{3,}|\w*Timeout\w*)$/.test(String(error.code));
