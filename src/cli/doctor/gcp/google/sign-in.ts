import { defaultTimeoutMs, type GcpOptions } from "../gcp-options.ts";
import type { Requester } from "./google-api.ts";
import { googleEndpoints } from "./endpoints.ts";
import { answerOf } from "./answer.ts";
import { credentialsFile } from "./credentials-file.ts";
import { JsonView } from "./json-view.ts";
import { login, noToken, refused, type RefusedLogin } from "./refused-login.ts";

/** Who asks. */
export interface Caller {
  /** As people call it: `service account a@b (key file)`. */
  readonly name: string;
  /** As IAM policies have it: `serviceAccount:a@b`. */
  readonly member: string;
  readonly email: string | undefined;
  /** The project that the credentials name. */
  readonly project: string | undefined;
  readonly client: Requester;
}

/** What came of signing in. */
export type SignIn = { readonly kind: "signed-in"; readonly caller: Caller } | RefusedLogin;

/** The part of `google-auth-library` that is used here. */
interface AuthLibrary {
  readonly GoogleAuth: new (options: {
    readonly scopes: string;
    readonly projectId: string;
    readonly credentials?: object;
  }) => {
    readonly jsonContent: object | null;
    getClient(): Promise<Requester>;
    getCredentials(): Promise<{ readonly client_email?: string | undefined }>;
  };
}

const scope = "https://www.googleapis.com/auth/cloud-platform";

/**
 * Finds the application default credentials, gets a token and finds out whose it is. Nothing that the library says is
 * handed on: its errors quote files and requests.
 */
export async function signIn(options: GcpOptions, signal: AbortSignal): Promise<SignIn> {
  const { timeoutMs = defaultTimeoutMs, loadLibrary = () => import("google-auth-library") } = options;
  const library = await loadLibrary().then(
    (loaded) => loaded as AuthLibrary,
    () => undefined,
  );
  if (library === undefined) {
    return refused(
      "google-auth-library, which finds Google's credentials, is not installed",
      "npm install google-auth-library",
    );
  }
  const credentials = await credentialsFile(options.environment);
  if (credentials?.kind === "refused") return credentials;
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  try {
    return await withDeadline(found(library, credentials?.json, options), inTime);
  } catch (error) {
    if (inTime.aborted)
      return refused(`Google gave no access token within ${timeoutMs} ms`, "# check the network, then try again");
    return noToken(error, credentials?.file);
  }
}

async function found(library: AuthLibrary, credentials: object | undefined, options: GcpOptions): Promise<SignIn> {
  const auth = new library.GoogleAuth({
    scopes: scope,
    // Without one the library asks gcloud, which takes seconds.
    projectId: "unused",
    ...(credentials === undefined ? {} : { credentials }),
  });
  const client = await auth.getClient();
  const { token } = await client.getAccessToken();
  if (typeof token !== "string" || token === "") return refused("the credentials give no access token", login);
  const file = new JsonView(auth.jsonContent);
  const type = file.at("type").text ?? "metadata";
  const email =
    (await auth.getCredentials().catch(() => undefined))?.client_email ?? (await emailOfToken(client, options));
  const isUser = type === "authorized_user" || type === "external_account_authorized_user";
  const unknown = isUser ? "a person of unknown address" : "of unknown address";
  const project = file.at("project_id").text ?? file.at("quota_project_id").text ?? projectOf(email);
  return {
    kind: "signed-in",
    caller: {
      name: `${isUser ? "" : "service account "}${email ?? unknown} (${kinds[type] ?? type})`,
      member: email === undefined ? "user:YOUR_ADDRESS" : `${isUser ? "user" : "serviceAccount"}:${email}`,
      email,
      project,
      client,
    },
  };
}

/** Source: the `type` of credential files. */
const kinds: Readonly<Record<string, string>> = {
  service_account: "key file",
  authorized_user: "gcloud's login",
  impersonated_service_account: "impersonated",
  external_account: "workload identity federation",
  external_account_authorized_user: "workforce identity federation",
  metadata: "of this machine",
};

/** A person's credentials do not say whose they are. */
async function emailOfToken(client: Requester, options: GcpOptions): Promise<string | undefined> {
  const base = options.endpoints?.oauth2 ?? googleEndpoints.oauth2;
  // It is a part of signing in, which has that long in all.
  const timeout = (options.timeoutMs ?? defaultTimeoutMs) / 2;
  try {
    const { status, data } = await client.request({
      url: `${base}/tokeninfo`,
      method: "POST",
      responseType: "text",
      timeout,
      signal: AbortSignal.timeout(timeout),
      retryConfig: { retry: 0 },
    });
    const answer = answerOf(status, String(data));
    return answer.kind === "found" ? answer.body.at("email").text : undefined;
  } catch {
    return undefined;
  }
}

/** `a@shop.iam.gserviceaccount.com` belongs to `shop`. */
const projectOf = (email: string | undefined): string | undefined =>
  /@([a-z0-9.:-]+)\.iam\.gserviceaccount\.com$/.exec(email ?? "")?.[1];

/** What the work gives, unless the signal comes first; the library cannot be stopped. */
async function withDeadline<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Nobody listens to it any more once the signal has come.
  work.catch(() => undefined);
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(new RangeError("stopped"));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
