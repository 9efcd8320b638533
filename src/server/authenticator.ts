import { createHash, timingSafeEqual } from "node:crypto";
import { TapeError } from "../errors.ts";
import { localAccess, type Access } from "../model/access.ts";
import type { Credential } from "./credentials.ts";

/** A caller that was let in. */
export interface Admission {
  readonly access: Access;
  /** When its credential ends, in milliseconds since 1970, and its streams with it; `null`: never. */
  readonly expiresAtMs: number | null;
}

/**
 * Says what a caller may see, from its `authorization` header. At once where it can: a promise costs every call.
 * Throws, or rejects with, CREDENTIALS_MISSING, CREDENTIALS_INVALID and what else the way of authentication has.
 */
export type Authenticator = (authorization: string | undefined) => Admission | Promise<Admission>;

const everyone: Admission = Object.freeze({ access: localAccess, expiresAtMs: null });

/** Lets everyone in, with the rights of the embedded library. */
export const admitEveryone: Authenticator = () => everyone;

/** Lets in who has one of the tokens. One {@link Access} object per token, so that what hangs on it can be kept. */
export function admitTokens(credentials: readonly Credential[]): Authenticator {
  const doors = credentials.map(({ token, tenant }) => ({
    digest: digest(token),
    admission: tenant === null ? everyone : Object.freeze({ access: { partition: tenant, tenant }, expiresAtMs: null }),
  }));
  return (authorization) => {
    // Equal lengths by hashing, equal times by comparing all: an answer says nothing about how near a guess was.
    const presented = digest(bearerToken(authorization));
    let admission: Admission | undefined;
    for (const door of doors) if (timingSafeEqual(door.digest, presented)) admission = door.admission;
    if (admission === undefined) throw new TapeError("CREDENTIALS_INVALID", "this server does not know that token");
    return admission;
  };
}

/** The token in an `authorization` header. Throws CREDENTIALS_MISSING and CREDENTIALS_INVALID. */
export function bearerToken(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw new TapeError(
      "CREDENTIALS_MISSING",
      "this server needs a token: send the header `authorization: Bearer ...`",
    );
  }
  const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (token !== undefined) return token;
  throw new TapeError("CREDENTIALS_INVALID", "the authorization header is not of the form `Bearer <token>`");
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
