import { createHash, timingSafeEqual } from "node:crypto";
import { TapeError } from "../errors.ts";
import { localAccess, type Access } from "../model/access.ts";
import type { Credential } from "./credentials.ts";

/** Says what a caller may see, from its `authorization` header. Throws CREDENTIALS_MISSING and CREDENTIALS_INVALID. */
export type Authenticator = (authorization: string | undefined) => Access;

/** Lets everyone in, with the rights of the embedded library. */
export const admitEveryone: Authenticator = () => localAccess;

/** Lets in who has one of the tokens. One {@link Access} object per token, so that what hangs on it can be kept. */
export function admitTokens(credentials: readonly Credential[]): Authenticator {
  const doors = credentials.map(({ token, tenant }) => ({
    digest: digest(token),
    access: tenant === null ? localAccess : Object.freeze({ partition: tenant, tenant }),
  }));
  return (authorization) => {
    if (authorization === undefined) {
      throw new TapeError(
        "CREDENTIALS_MISSING",
        "this server needs a token: send the header `authorization: Bearer ...`",
      );
    }
    const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    if (token === undefined) {
      throw new TapeError("CREDENTIALS_INVALID", "the authorization header is not of the form `Bearer <token>`");
    }
    // Equal lengths by hashing, equal times by comparing all: an answer says nothing about how near a guess was.
    const presented = digest(token);
    let access: Access | undefined;
    for (const door of doors) if (timingSafeEqual(door.digest, presented)) access = door.access;
    if (access === undefined) throw new TapeError("CREDENTIALS_INVALID", "this server does not know that token");
    return access;
  };
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
