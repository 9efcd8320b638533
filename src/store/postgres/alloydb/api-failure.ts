import { TapeError } from "../../../errors.ts";
import type { InstanceName } from "./instance-name.ts";
import { objectIn, textIn } from "./json-fields.ts";

/** A refusal of the AlloyDB API, for people. Source of the reasons: https://cloud.google.com/apis/design/errors */
export function apiFailure(status: number, body: unknown, name: InstanceName): TapeError {
  const error = objectIn(body, "error");
  const said = oneLine(textIn(error, "message") ?? `HTTP status ${status}`);
  const { reason, project, permission } = errorInfo(error);
  const failed = (usable: boolean, why: string): TapeError =>
    new TapeError(usable ? "STORE_UNAVAILABLE" : "STORE_NOT_USABLE", `AlloyDB instance ${name.instance}: ${why}`);

  if (reason === "SERVICE_DISABLED") {
    const where = project ?? name.project;
    return failed(
      false,
      `the AlloyDB API is not enabled in project ${where}; run gcloud services enable alloydb.googleapis.com --project=${where}, wait some minutes, try again`,
    );
  }
  if (reason === "ACCESS_TOKEN_SCOPE_INSUFFICIENT") {
    return failed(
      false,
      "the credentials lack the scope cloud-platform; log in again with it, or give the machine that access scope",
    );
  }
  if (reason === "USER_PROJECT_DENIED" || said.includes("serviceusage.")) {
    return failed(
      false,
      `the API may not be called on behalf of project ${project ?? name.project}; grant roles/serviceusage.serviceUsageConsumer on it`,
    );
  }
  if (status === 401) {
    return failed(
      false,
      `the API refused the access token (${said}); run gcloud auth application-default login, or check the service account`,
    );
  }
  if (status === 403) {
    const missing = permission === undefined ? said : `permission ${permission} is missing`;
    return failed(
      false,
      `${missing}; grant the principal roles/alloydb.client and roles/serviceusage.serviceUsageConsumer`,
    );
  }
  if (status === 404) return failed(false, `there is none of that name; check instance= in the URL (${said})`);
  if (status === 429) return failed(true, `the quota of the API is used up (${said}); try again later`);
  if (status >= 500) return failed(true, `the API failed (${said}); try again`);
  return failed(false, `the API refused the request: ${said}`);
}

interface ErrorInfo {
  readonly reason: string | undefined;
  readonly project: string | undefined;
  readonly permission: string | undefined;
}

function errorInfo(error: unknown): ErrorInfo {
  const details = objectIn(error, "details");
  const info: unknown = Array.isArray(details)
    ? details.find((one) => textIn(one, "@type")?.endsWith("google.rpc.ErrorInfo") === true)
    : undefined;
  const metadata = objectIn(info, "metadata");
  return {
    reason: textIn(info, "reason"),
    project: textIn(metadata, "consumer")?.replace(/^projects\//, ""),
    permission: textIn(metadata, "permission"),
  };
}

/** A foreign text in a message of ours: one line, and not a page of HTML. */
export const oneLine = (text: string): string =>
  text
    .replaceAll(/\p{Cc}+/gu, " ")
    .trim()
    .slice(0, 300);
