import { JsonView } from "./json-view.ts";

/** What an API answered. */
export type Answer = { readonly kind: "found"; readonly body: JsonView } | Refusal;

/** Why there is no answer to work with. */
export type Refusal =
  | { readonly kind: "missing" }
  /** This account may not. `permission`: which one it lacks, if the API said so. */
  | { readonly kind: "forbidden"; readonly permission: string | undefined }
  /** The API is off in the project. */
  | { readonly kind: "disabled"; readonly api: string; readonly project: string | undefined }
  | { readonly kind: "unbilled"; readonly project: string | undefined }
  /** The API may not be called on behalf of this project. */
  | { readonly kind: "no-quota-project"; readonly project: string | undefined }
  /** Cannot be told. `why`: in words that hold nothing of request or answer. */
  | { readonly kind: "unanswered"; readonly why: string }
  /** Nor can anything else: no answer at all, or none without other credentials. */
  | { readonly kind: "unreachable"; readonly why: string };

/** What a response of that status and text means. Source of the reasons: google.api.ErrorReason. */
export function answerOf(status: number, text: string): Answer {
  const body = parsed(text);
  if (status >= 200 && status < 300) {
    return body?.isObject === true
      ? { kind: "found", body }
      : { kind: "unanswered", why: "it answered with something that is no JSON object" };
  }
  const error = (body ?? new JsonView(undefined)).at("error");
  const info = error.at("details").items.find((one) => one.at("@type").text?.endsWith("google.rpc.ErrorInfo") === true);
  const reason = info?.at("reason").text;
  const project = info?.at("metadata", "consumer").text?.replace(/^projects\//, "");
  if (reason === "SERVICE_DISABLED") {
    return { kind: "disabled", api: info?.at("metadata", "service").text ?? "the API", project };
  }
  if (reason === "BILLING_DISABLED") return { kind: "unbilled", project };
  if (reason === "USER_PROJECT_DENIED") return { kind: "no-quota-project", project };
  if (status === 404) return { kind: "missing" };
  if (status === 403) {
    const permission = info?.at("metadata", "permission").text ?? permissionIn(error.at("message").text);
    return { kind: "forbidden", permission };
  }
  const why = whyOf(status, reason ?? error.at("status").text);
  return { kind: status === 401 ? "unreachable" : "unanswered", why };
}

function parsed(text: string): JsonView | undefined {
  try {
    return new JsonView(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Older APIs say it in words only: `Permission 'run.services.get' denied on resource ...`. */
const permissionIn = (message: string | undefined): string | undefined =>
  /\b([a-z]+(?:\.[a-zA-Z]+){2,})\b/.exec(message?.replaceAll(/\S*googleapis\.com\S*/g, "") ?? "")?.[1];

function whyOf(status: number, reason: string | undefined): string {
  const code = reason !== undefined && /^[A-Z_]{1,60}$/.test(reason) ? `${status} ${reason}` : String(status);
  if (status === 401) return `it does not accept the credentials (${code}); log in again`;
  if (status === 429) return `it has had too many requests (${code}); wait a minute, then try again`;
  if (status >= 500) return `it failed (${code}); try again`;
  return `it refused the request (${code})`;
}
