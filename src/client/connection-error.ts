import { TapeError } from "../errors.ts";

/** What went wrong below HTTP, in words. */
const faults: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "there is no route to it",
  ENETUNREACH: "there is no route to it",
  ENOTFOUND: "its name is not known",
  EAI_AGAIN: "its name cannot be looked up now",
  EPROTO: "it does not speak TLS there (tape:// is the scheme without TLS)",
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS there (tape:// is the scheme without TLS)",
};
const broke = "the connection broke";
const strange = "what is there does not speak HTTP/2: a Tape server that wants TLS (tapes://), or something else";

/** Certificates do not get better by trying again. */
const distrusted: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/**
 * The error of a connection that could not be made or that broke, whatever the layers below say about it. `greeted`:
 * whether the other side has ever spoken the protocol on it.
 */
export function connectionError(origin: string, cause: unknown, greeted: boolean): TapeError {
  const server = origin.replace(/^http/, "tape");
  const code = codeOf(cause);
  if (distrusted.has(code)) {
    const why = cause instanceof Error ? cause.message : code;
    return new TapeError(
      "CONFIG_INVALID",
      `The certificate of ${server} is not trusted: ${why}. Name its authority in the option \`tls.ca\`.`,
      { cause },
    );
  }
  const fault = faults[code] ?? (greeted ? broke : strange);
  return new TapeError(
    "SERVER_UNAVAILABLE",
    `Cannot reach the Tape server at ${server}: ${fault}. Check the address, and that the server runs (\`tape serve\`).`,
    { cause },
  );
}

/** The first known code in the chain: fetch and HTTP/2 wrap what the socket said. */
function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return "";
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : "";
  if (code in faults || distrusted.has(code)) return code;
  return codeOf(cause.cause);
}
