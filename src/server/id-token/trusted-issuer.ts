import { isLoopback } from "../config-values.ts";

/** Who signs the ID tokens that a server takes. */
export interface TrustedIssuer {
  /** What the claim `iss` may be, exactly. The first is what people call it. */
  readonly names: readonly [string, ...string[]];
  /** Where its keys are; `null`: where its `.well-known/openid-configuration` says. */
  readonly jwksUrl: string | null;
  /** Accepted signatures, by their JOSE names. Asymmetric only: what verifies a token must not be able to make one. */
  readonly algorithms: readonly string[];
  /** Whether every token must carry an e-mail address that the issuer has verified. */
  readonly verifiedEmail: boolean;
}

/** Google. Source: https://accounts.google.com/.well-known/openid-configuration */
export const googleIssuer: TrustedIssuer = Object.freeze({
  names: ["https://accounts.google.com", "accounts.google.com"] as const,
  jwksUrl: "https://www.googleapis.com/oauth2/v3/certs",
  algorithms: ["RS256"],
  verifiedEmail: true,
});

/** What issuers of OpenID Connect sign with. */
export const asymmetricAlgorithms: readonly string[] = Object.freeze(
  "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" "),
);

/**
 * What is wrong with a URL that keys come from, or `undefined`. Whoever can change what is read there can sign tokens,
 * so it must be https; on loopback, where tests and sidecars are, http will do.
 */
export function issuerUrlFault(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return "is no URL";
  if (url.username !== "" || url.password !== "") return "holds credentials, which are not sent";
  if (url.protocol === "https:") return undefined;
  if (url.protocol === "http:" && isLoopback(url.hostname.replace(/^\[(.*)\]$/, "$1"))) return undefined;
  return "must be https:// (http:// is for loopback only)";
}
