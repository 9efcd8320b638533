import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { TapeError } from "../../errors.ts";
import { bearerToken, type Admission, type Authenticator } from "../authenticator.ts";
import { callerOf, findRule, type AdmissionRule } from "./admission-rule.ts";
import { defaultKeyTimes, IssuerKeys, type KeyTimes } from "./issuer-keys.ts";
import type { TrustedIssuer } from "./trusted-issuer.ts";
import { verifyIdToken, type IdTokenClaims } from "./verify-id-token.ts";

/** Whose ID tokens a server takes, and what their holders may. */
export interface IdTokenConfig {
  readonly issuer: TrustedIssuer;
  /** A token must be for one of them. At least one. */
  readonly audiences: readonly string[];
  /** The first one that fits a token decides. */
  readonly rules: readonly AdmissionRule[];
}

/** What a gate needs beside its configuration. */
export interface IdTokenGateOptions {
  /** Calls that may wait for a verification at once; more are OVERLOADED. */
  readonly maxWaiting: number;
  /** Good tokens that are remembered; an entry has some hundred bytes. Default: 10,000. */
  readonly maxKnown?: number;
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number;
  /** Default: {@link defaultKeyTimes}. */
  readonly keyTimes?: Partial<KeyTimes>;
}

/** A good token is looked at again after so long, so that it does not outlive its key by more. */
const knownMs = 5 * 60_000;
const toleranceSeconds = 30;

interface Known {
  readonly admission: Admission;
  readonly goodUntilMs: number;
}

/**
 * Lets in who has an ID token of the issuer that a rule admits. A token that was found good is known until it expires,
 * and costs a hash; only a new one makes its call wait. Nothing is remembered of bad ones.
 *
 * Errors: CREDENTIALS_MISSING, CREDENTIALS_INVALID, CREDENTIALS_EXPIRED, CALLER_NOT_ADMITTED, ISSUER_UNAVAILABLE,
 * OVERLOADED.
 */
export function admitIdTokens(config: IdTokenConfig, options: IdTokenGateOptions): Authenticator {
  const { maxWaiting, maxKnown = 10_000, now = Date.now } = options;
  const demands = { ...config, toleranceSeconds };
  const keys = new IssuerKeys(config.issuer, { ...defaultKeyTimes, ...options.keyTimes }, now);
  const doors = config.rules.map((rule) => ({ ...rule, access: accessOf(rule) }));
  const known = new LRUCache<string, Known>({ max: maxKnown });
  const underWay = new Map<string, Promise<Admission>>();
  let waiting = 0;

  const admit = async (token: string, digest: string): Promise<Admission> => {
    const claims = await verifyIdToken(token, demands, keys.find, now());
    const door = findRule(doors, claims);
    if (door === undefined) throw notAdmitted(claims);
    const expiresAtMs = claims.exp * 1000;
    const admission = Object.freeze({ access: door.access, expiresAtMs: expiresAtMs + toleranceSeconds * 1000 });
    known.set(digest, { admission, goodUntilMs: Math.min(expiresAtMs, now() + knownMs) });
    return admission;
  };
  const verify = (token: string, digest: string): Promise<Admission> => {
    const verification = admit(token, digest).finally(() => underWay.delete(digest));
    underWay.set(digest, verification);
    return verification;
  };
  const waitFor = async (verification: Promise<Admission>): Promise<Admission> => {
    waiting++;
    try {
      return await verification;
    } finally {
      waiting--;
    }
  };

  return (authorization) => {
    const token = bearerToken(authorization);
    // The token itself is kept nowhere.
    const digest = hash("sha256", token, "base64url");
    const found = known.get(digest);
    if (found !== undefined) {
      if (now() < found.goodUntilMs) return found.admission;
      known.delete(digest);
    }
    if (waiting >= maxWaiting) {
      throw new TapeError("OVERLOADED", `${maxWaiting} calls wait for their tokens to be verified: try again later`, {
        ids: { setting: "TAPE_MAX_PENDING" },
      });
    }
    return waitFor(underWay.get(digest) ?? verify(token, digest));
  };
}

function accessOf({ tenant, scopes }: AdmissionRule): Admission["access"] {
  // One object for each rule, because what hangs on it is kept.
  return Object.freeze({ partition: tenant, tenant, ...(scopes === null ? {} : { scopes }) });
}

function notAdmitted(claims: IdTokenClaims): TapeError {
  const caller = callerOf(claims);
  return new TapeError("CALLER_NOT_ADMITTED", `the ID token is good, but no rule of this server admits ${caller}`, {
    ids: { caller },
  });
}
