import { TapeError } from "../errors.ts";
import { systemTimers, type Timers } from "./timers.ts";

/** The part of `google-auth-library` that is used here. */
export interface GoogleAuthLibrary {
  readonly GoogleAuth: new (options: { readonly projectId: string }) => { getClient(): Promise<object> };
  /** What a person is who has logged in with gcloud. */
  readonly UserRefreshClient: new () => object;
}

/** Options of {@link GoogleIdTokens}. */
export interface GoogleIdTokensOptions {
  /** What the tokens are for. */
  readonly audience: string;
  readonly timers?: Timers;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly load?: () => Promise<GoogleAuthLibrary>;
}

interface Kept {
  readonly token: string;
  readonly expiresAtMs: number;
  renewAtMs: number;
}

/** A token with less than this left may expire on its way. */
const spareMs = 30_000;
/** So long before its end a token is replaced, while it still serves: a server of Google's that is away is not noticed. */
const renewBeforeMs = 5 * 60_000;
const renewAgainMs = 10_000;
const timeoutMs = 30_000;

/**
 * Google-signed ID tokens of the Application Default Credentials: the service account of the machine (Cloud Run, GKE,
 * Compute Engine), the key file that `GOOGLE_APPLICATION_CREDENTIALS` names, or an impersonated service account. One
 * request at a time, whoever asks; no call waits for a renewal.
 */
export class GoogleIdTokens {
  readonly #audience: string;
  readonly #timers: Timers;
  readonly #now: () => number;
  readonly #load: () => Promise<GoogleAuthLibrary>;
  #client: Promise<object> | undefined;
  #kept: Kept | undefined;
  #renewal: Promise<string> | undefined;

  constructor(options: GoogleIdTokensOptions) {
    const { audience, timers = systemTimers, now = Date.now, load = () => import("google-auth-library") } = options;
    this.#audience = audience;
    this.#timers = timers;
    this.#now = now;
    this.#load = load;
  }

  /** A token that is good for a while yet. Errors: CREDENTIALS_MISSING, which says what to do. */
  async token(): Promise<string> {
    const kept = this.#kept;
    const now = this.#now();
    if (kept === undefined || now >= kept.expiresAtMs - spareMs) return await this.#renew();
    if (now >= kept.renewAtMs) {
      kept.renewAtMs = now + renewAgainMs;
      // When it fails, the token at hand does for now.
      this.#renew().catch(() => undefined);
    }
    return kept.token;
  }

  #renew(): Promise<string> {
    this.#renewal ??= this.#fetch().finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }

  async #fetch(): Promise<string> {
    try {
      const token = await this.#withinTime(this.#ask());
      const expiresAtMs = expiryOf(token, this.#audience);
      this.#kept = { token, expiresAtMs, renewAtMs: expiresAtMs - renewBeforeMs };
      return token;
    } catch (error) {
      // Other credentials may be there by then.
      this.#client = undefined;
      throw error instanceof TapeError ? error : refusal(error);
    }
  }

  async #ask(): Promise<string> {
    this.#client ??= this.#open();
    const client = await this.#client;
    if (!canMint(client)) {
      throw missing("credentials of this kind give no ID tokens", impersonate);
    }
    return await client.fetchIdToken(this.#audience);
  }

  async #open(): Promise<object> {
    const library = await this.#load().catch((cause: unknown) => {
      throw missing("google-auth-library cannot be loaded", "run: npm install google-auth-library", cause);
    });
    // Tokens need no project; unless one is given, the library looks for it over the network first.
    const client = await new library.GoogleAuth({ projectId: "none" }).getClient();
    if (client instanceof library.UserRefreshClient) {
      throw missing("the credentials are of a person, who gets no ID token for a server", impersonate);
    }
    return client;
  }

  #withinTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(missing(`nothing came within ${timeoutMs} ms`, "check the network"));
      const stop = this.#timers.after(timeoutMs, late);
      work.then(resolve, reject).finally(stop);
    });
  }
}

const impersonate =
  "act as a service account: gcloud auth application-default login --impersonate-service-account=<its e-mail>";

interface Minting {
  fetchIdToken(audience: string): Promise<string>;
}

function canMint(client: object): client is Minting {
  return "fetchIdToken" in client && typeof client.fetchIdToken === "function";
}

/** When a token ends, in milliseconds since 1970. It is not verified: that is the server's part. */
function expiryOf(token: unknown, audience: string): number {
  const payload = typeof token === "string" ? (token.split(".")[1] ?? "") : "";
  let claims: { readonly aud?: unknown; readonly exp?: unknown };
  try {
    claims = JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/"))) as typeof claims;
  } catch {
    throw missing("what came is no ID token", "check GCE_METADATA_HOST and the credentials");
  }
  // Credentials that cannot choose the audience give a token for themselves instead.
  if (claims.aud !== audience) throw missing(`the credentials give no token for ${audience}`, impersonate);
  if (typeof claims.exp === "number") return claims.exp * 1000;
  throw missing("the ID token that came has no expiry", "check GCE_METADATA_HOST and the credentials");
}

// The library's errors hold the request with its keys, so none of them becomes a cause.
function refusal(error: unknown): TapeError {
  const said = error instanceof Error ? (error.message.split("\n")[0] ?? "") : "";
  const way =
    "on Google Cloud give the workload a service account; elsewhere set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login --impersonate-service-account=<its e-mail>";
  return missing(said.slice(0, 300).replace(/\.$/, "") || "no reason was given", way);
}

function missing(fault: string, way: string, cause?: unknown): TapeError {
  const message = `Google's credentials of this process give no ID token: ${fault}. The call was not sent; ${way}.`;
  return new TapeError("CREDENTIALS_MISSING", message, { cause });
}
