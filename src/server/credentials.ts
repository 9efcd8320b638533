import { configError } from "./config-values.ts";

/** A bearer token and what it opens. */
export interface Credential {
  readonly token: string;
  /** The tenant it grants; `null` for the unnamed one, which is also the one of a server without authentication. */
  readonly tenant: string | null;
}

// RFC 6750 allows exactly these in a bearer token; none of them separates credentials or names a comment.
const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/;
const minTokenLength = 16;

/**
 * Reads credentials written as `token` or `tenant:token`, one a line or separated by commas; blank ones and lines that
 * start with `#` are skipped. A token cannot contain a colon, so the last one ends the tenant. Errors name the place,
 * never the text.
 */
export function parseCredentials(text: string, setting: string): readonly Credential[] {
  const credentials: Credential[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trimStart().startsWith("#")) continue;
    for (const part of line.split(",")) {
      const written = part.trim();
      if (written !== "") credentials.push(parseCredential(written, `${setting}, line ${index + 1}`));
    }
  }
  const tokens = new Set(credentials.map((credential) => credential.token));
  if (tokens.size < credentials.length) throw configError(setting, "a token stands there twice");
  return credentials;
}

function parseCredential(written: string, place: string): Credential {
  const colon = written.lastIndexOf(":");
  const token = written.slice(colon + 1);
  const tenant = colon < 0 ? null : written.slice(0, colon);
  if (tenant === "") throw configError(place, "the tenant before the colon is empty; write tenant:token or token");
  if (!tokenForm.test(token)) throw configError(place, "a token is letters, digits and -._~+/ with = only at its end");
  if (token.length < minTokenLength) throw configError(place, `a token needs at least ${minTokenLength} characters`);
  return Object.freeze({ token, tenant });
}
