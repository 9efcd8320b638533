import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { TapeError } from "../../errors.ts";
import { issuerFetch, unusable, type IssuerFetch } from "./issuer-fetch.ts";
import { issuerUrlFault, type TrustedIssuer } from "./trusted-issuer.ts";

/** How long keys are kept, and how an issuer is spared. All in milliseconds. */
export interface KeyTimes {
  /** Of one request to the issuer. */
  readonly timeoutMs: number;
  /** After this long keys are read again: so long may a key work that the issuer has taken back. */
  readonly freshMs: number;
  /** An issuer that is away is done without for so long, with the keys that it had. */
  readonly staleMs: number;
  /** A key that is not known makes the keys be read again, but not more often than this. */
  readonly cooldownMs: number;
  /** After a failure the issuer is left alone for so long. */
  readonly pauseMs: number;
}

/** Issuers change their keys every few days, and publish new ones well before they use them. */
export const defaultKeyTimes: KeyTimes = Object.freeze({
  timeoutMs: 5000,
  freshMs: 10 * 60_000,
  staleMs: 24 * 3_600_000,
  cooldownMs: 30_000,
  pauseMs: 2000,
});

type RemoteKeys = ReturnType<typeof createRemoteJWKSet>;

/** The keys of one issuer, read when they are needed first. */
export class IssuerKeys {
  readonly #issuer: TrustedIssuer;
  readonly #times: KeyTimes;
  readonly #now: () => number;
  readonly #fetch: IssuerFetch;
  #remote: Promise<RemoteKeys> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(issuer: TrustedIssuer, times: KeyTimes, now: () => number) {
    this.#issuer = issuer;
    this.#times = times;
    this.#now = now;
    this.#fetch = issuerFetch({ issuer: issuer.names[0], pauseMs: times.pauseMs, now });
  }

  /** The key that a token says it is signed with. Errors: ISSUER_UNAVAILABLE, and those of jose about the token. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const remote = await this.#open();
    try {
      return await remote(header, token);
    } catch (error) {
      if (!(error instanceof TapeError)) throw error;
      const kept = remote.jwks();
      if (kept === undefined || this.#now() - this.#readAt > this.#times.staleMs) throw error;
      // Not among the keys that it had: it may well be among those that it has.
      return await createLocalJWKSet(kept)(header, token).catch(() => Promise.reject(error));
    }
  };

  #open(): Promise<RemoteKeys> {
    this.#remote ??= this.#locate().then(
      (url) => this.#keysAt(url),
      (error: unknown) => {
        this.#remote = undefined;
        throw error;
      },
    );
    return this.#remote;
  }

  #keysAt(url: string): RemoteKeys {
    const { timeoutMs, freshMs, cooldownMs } = this.#times;
    return createRemoteJWKSet(new URL(url), {
      timeoutDuration: timeoutMs,
      cacheMaxAge: freshMs,
      cooldownDuration: cooldownMs,
      [customFetch]: async (href, { signal, headers }) => {
        const keys = await this.#fetch(href, readKeySet, signal, headers);
        this.#readAt = this.#now();
        return Response.json(keys);
      },
    });
  }

  /** Where the keys are. Source: OpenID Connect Discovery 1.0, section 4. */
  async #locate(): Promise<string> {
    const { jwksUrl, names } = this.#issuer;
    if (jwksUrl !== null) return jwksUrl;
    const url = `${names[0].replace(/\/$/, "")}/.well-known/openid-configuration`;
    const timeout = AbortSignal.timeout(this.#times.timeoutMs);
    return await this.#fetch(url, (json) => readDiscovery(json, names[0]), timeout);
  }
}

function readKeySet(json: unknown): JSONWebKeySet {
  try {
    createLocalJWKSet(json as JSONWebKeySet);
  } catch {
    throw unusable("no key set");
  }
  return json as JSONWebKeySet;
}

function readDiscovery(json: unknown, name: string): string {
  const { issuer, jwks_uri: url } = (json ?? {}) as { readonly issuer?: unknown; readonly jwks_uri?: unknown };
  // What is published for one issuer must not speak for another.
  if (issuer !== name) throw unusable("it is of another issuer");
  if (typeof url !== "string") throw unusable("it names no jwks_uri");
  const fault = issuerUrlFault(url);
  if (fault !== undefined) throw unusable(`its jwks_uri ${fault}`);
  return url;
}
