import { TapeError } from "../errors.ts";

/** A session as people write it. */
export interface SessionAddress {
  readonly appName: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** `app/user/session`, each percent-encoded where it holds a slash. Errors: ARGUMENT_INVALID. */
export function sessionAddress(text: string): SessionAddress {
  const parts = text.split("/");
  if (parts.length !== 3) throw notOne(text);
  try {
    const [appName = "", userId = "", sessionId = ""] = parts.map(decodeURIComponent);
    return { appName, userId, sessionId };
  } catch (cause) {
    throw notOne(text, cause);
  }
}

/** The other way round. */
export const sessionText = ({ appName, userId, sessionId }: SessionAddress): string =>
  [appName, userId, sessionId].map((part) => part.replaceAll("%", "%25").replaceAll("/", "%2F")).join("/");

const notOne = (text: string, cause?: unknown): TapeError =>
  new TapeError(
    "ARGUMENT_INVALID",
    `"${text}" is no session: write app/user/session, with %2F for a slash and %25 for a percent sign in a name`,
    { cause },
  );
