import { TapeError } from "../../../errors.ts";
import { within } from "./within.ts";

/** For calls of the AlloyDB API. */
export const apiScope = "https://www.googleapis.com/auth/cloud-platform";
/** For logging in to a database. */
export const loginScope = "https://www.googleapis.com/auth/alloydb.login";

interface AccessToken {
  readonly value: string;
  /** The project that calls with this token are billed to, if the credentials name one. */
  readonly quotaProject: string | undefined;
}

/** Where OAuth 2.0 access tokens come from. */
export interface TokenSource {
  /**
   * A token that is good for some minutes yet; kept and renewed by the source.
   * Errors: STORE_NOT_USABLE without usable credentials, STORE_UNAVAILABLE.
   */
  token(scope: string): Promise<AccessToken>;
  /** The kept token was refused: the next call brings a new one. */
  forget(scope: string): void;
}

interface AuthClient {
  readonly quotaProjectId?: string | undefined;
  getAccessToken(): Promise<{ readonly token?: string | null | undefined }>;
}

/** The part of `google-auth-library` that is used here. */
export interface AuthLibrary {
  readonly GoogleAuth: new (options: { readonly scopes: string }) => { getClient(): Promise<AuthClient> };
}

/**
 * Tokens of the application default credentials: the file `GOOGLE_APPLICATION_CREDENTIALS` names, those of
 * `gcloud auth application-default login`, or those of the machine. The library keeps them and renews them five minutes
 * before they expire. It is an optional peer, loaded here only. Errors: DRIVER_MISSING.
 */
export async function googleTokens(
  timeoutMs: number,
  load: () => Promise<AuthLibrary> = () => import("google-auth-library"),
): Promise<TokenSource> {
  const { GoogleAuth } = await load().catch((cause: unknown) => {
    throw new TapeError(
      "DRIVER_MISSING",
      "AlloyDB by IAM or by instance name needs google-auth-library, which cannot be loaded; run: npm install google-auth-library",
      { cause },
    );
  });
  const clients = new Map<string, Promise<AuthClient>>();
  const clientOf = async (scope: string): Promise<AuthClient> => {
    const known = clients.get(scope);
    if (known !== undefined) return await known;
    const client = new GoogleAuth({ scopes: scope }).getClient();
    clients.set(scope, client);
    return await client;
  };
  const fetchToken = async (scope: string): Promise<AccessToken> => {
    const client = await clientOf(scope);
    const { token } = await client.getAccessToken();
    if (typeof token !== "string" || token === "") throw credentialsMissing("they give no token");
    return { value: token, quotaProject: client.quotaProjectId };
  };
  return {
    async token(scope) {
      try {
        return await within(fetchToken(scope), timeoutMs, () => late(timeoutMs));
      } catch (error) {
        clients.delete(scope);
        throw tokenFailure(error);
      }
    },
    forget(scope) {
      clients.delete(scope);
    },
  };
}

const late = (timeoutMs: number): TapeError =>
  new TapeError(
    "STORE_UNAVAILABLE",
    `Google gave no access token within ${timeoutMs} ms; check the network, try again`,
  );

const credentialsMissing = (why: string): TapeError =>
  new TapeError(
    "STORE_NOT_USABLE",
    `no usable Google credentials: ${why}; run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS`,
  );

const passing = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EPIPE|socket hang up|network|timeout/i;

// The library's errors hold the request with its keys, so none of them becomes a cause.
function tokenFailure(error: unknown): TapeError {
  if (error instanceof TapeError) return error;
  const said = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const status = error instanceof Error && "status" in error ? Number(error.status) : 0;
  if (status === 429 || status >= 500 || passing.test(`${code} ${said}`)) {
    return new TapeError("STORE_UNAVAILABLE", `Google gave no access token: ${said}; check the network, try again`);
  }
  return credentialsMissing(said);
}
