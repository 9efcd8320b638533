import { TapeError } from "../errors.ts";
import { shortHash } from "./hash.ts";

/*
 * Page tokens: where a list goes on. Format 1 is the base64url of a JSON array: the format, a hash of the query, and the
 * position, which only whoever makes the list understands.
 *
 * There is no secret in a token and none is needed. It holds nothing that the answer it came with did not, and it gives
 * its bearer nothing: the next page is made from the request and the credential as any first one is, and the position is
 * only where in the caller's own list to begin. What is no position of that list is refused, and what is another one
 * skips or repeats items for whoever has changed it. The hash catches honest mistakes: a token of another query.
 */

const format = 1;
/** Two keys of 1,024 bytes for each kind of thing in a list would still fit. */
const longestToken = 16 * 1024;

/** Texts and integers; what they mean is a matter of the list. */
export type PagePosition = readonly (string | number)[];

/** The token that leads to what is behind this position in the list of this query. */
export function pageToken(query: string, position: PagePosition): string {
  return Buffer.from(JSON.stringify([format, shortHash(query), ...position])).toString("base64url");
}

/**
 * The position in a token; `null` for the empty one, which stands for the start. Errors: ARGUMENT_INVALID for a token of
 * another query, and for what is none.
 */
export function positionIn(token: string, query: string): PagePosition | null {
  if (token === "") return null;
  if (token.length > longestToken) throw badToken();
  const [version, hash, ...position] = parts(token);
  if (version !== format || hash !== shortHash(query)) throw badToken();
  return position;
}

function parts(token: string): PagePosition {
  const bytes = Buffer.from(token, "base64url");
  // Leniently read text, or another spelling of the same bytes, is no token that was ever given.
  if (bytes.toString("base64url") !== token) throw badToken();
  let found: unknown;
  try {
    found = JSON.parse(bytes.toString("utf8"));
  } catch {
    throw badToken();
  }
  if (!Array.isArray(found) || !found.every(isPart)) throw badToken();
  return found;
}

const isPart = (part: unknown): part is string | number =>
  (typeof part === "string" && part.isWellFormed()) || Number.isSafeInteger(part);

/** Refuses a token whose position is none of this list. */
export const badToken = (): TapeError =>
  new TapeError(
    "ARGUMENT_INVALID",
    "page_token belongs to another request: send it with the filters it came from, or begin again without it",
    { ids: { field: "page_token" } },
  );
