import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { TapeError } from "../../errors.ts";
import type { TrustedIssuer } from "./trusted-issuer.ts";

/** What an ID token must be. */
export interface IdTokenDemands {
  readonly issuer: TrustedIssuer;
  /** One of these must be in the claim `aud`. */
  readonly audiences: readonly string[];
  /** By how much clocks may differ, in seconds. */
  readonly toleranceSeconds: number;
}

/** The claims of a token that was found good; `exp` is there. */
export type IdTokenClaims = JWTPayload & { readonly exp: number };

// Node takes 32 KiB of headers in all.
const maxTokenLength = 16 * 1024;
// What Cloud Run puts in the place of a signature, see docs/auth.md.
const takenSignature = ".SIGNATURE_REMOVED_BY_GOOGLE";

/**
 * Verifies signature, issuer, audience, times and, where the issuer is to say so, the e-mail address.
 *
 * Errors: CREDENTIALS_INVALID, CREDENTIALS_EXPIRED, and what finding the key fails with. None holds the token.
 */
export async function verifyIdToken(
  token: string,
  demands: IdTokenDemands,
  findKey: JWTVerifyGetKey,
  nowMs: number,
): Promise<IdTokenClaims> {
  const { issuer, audiences, toleranceSeconds } = demands;
  checkForm(token, issuer);
  let claims: JWTPayload;
  try {
    ({ payload: claims } = await jwtVerify(token, findKey, {
      algorithms: [...issuer.algorithms],
      issuer: [...issuer.names],
      audience: [...audiences],
      clockTolerance: toleranceSeconds,
      requiredClaims: ["exp"],
      currentDate: new Date(nowMs),
    }));
  } catch (error) {
    throw error instanceof TapeError ? error : refusal(error, demands);
  }
  if (claims.exp === undefined) throw invalid("it does not say when it expires (exp)");
  if (issuer.verifiedEmail && claims["email_verified"] !== true) {
    throw invalid("it has no verified e-mail address (email, email_verified); ask for one with the e-mail included");
  }
  return { ...claims, exp: claims.exp };
}

/** Refuses what needs no key to be refused: an issuer is not asked about tokens of others. */
function checkForm(token: string, issuer: TrustedIssuer): void {
  if (token.length > maxTokenLength) {
    throw invalid(`it has ${token.length} characters, more than ${maxTokenLength}`);
  }
  if (token.endsWith(takenSignature)) {
    throw invalid(
      "Cloud Run has taken its signature; send it also as X-Serverless-Authorization, which Cloud Run then takes instead",
    );
  }
  let claims: JWTPayload;
  try {
    claims = decodeJwt(token);
  } catch (cause) {
    throw invalid("it is not a JWT; send an ID token, not an access token or a key", cause);
  }
  if (claims.iss === undefined || !issuer.names.includes(claims.iss)) throw foreignIssuer(issuer);
}

function refusal(error: unknown, { issuer, audiences }: IdTokenDemands): TapeError {
  if (error instanceof errors.JWTExpired) {
    // What the claim says is said by its date alone: it is the one thing that tells a late token from a wrong clock.
    const at = typeof error.payload.exp === "number" ? new Date(error.payload.exp * 1000) : new Date(Number.NaN);
    const since = Number.isNaN(at.getTime()) ? "" : ` at ${at.toISOString()}`;
    return new TapeError("CREDENTIALS_EXPIRED", `the ID token expired${since}; send a new one`);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === "iss") return foreignIssuer(issuer);
    if (error.claim === "aud") return invalid(`it is for another audience; ask for one for ${audiences.join(" or ")}`);
    if (error.claim === "nbf") return invalid("it is not valid yet (nbf); is a clock wrong?");
    if (error.claim === "exp") return invalid("it does not say when it expires (exp)");
    return invalid(`its claim ${error.claim} cannot be`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return invalid(`it is not signed in a way that is taken here: ${issuer.algorithms.join(", ")}`);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid("its signature is wrong");
  if (error instanceof errors.JWKSNoMatchingKey)
    return invalid("it is signed with a key that its issuer does not have");
  if (error instanceof errors.JWKSMultipleMatchingKeys)
    return invalid("it does not say with which key it is signed (kid)");
  return invalid("it cannot be verified", error);
}

function foreignIssuer(issuer: TrustedIssuer): TapeError {
  return invalid(`it is not from the issuer that is trusted here, ${issuer.names[0]}`);
}

function invalid(fault: string, cause?: unknown): TapeError {
  return new TapeError("CREDENTIALS_INVALID", `the ID token is refused: ${fault}`, { cause });
}
