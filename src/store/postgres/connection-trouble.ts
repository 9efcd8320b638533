import type { Explanation, Trouble } from "./postgres-failure.ts";

const certificate = (what: string) => (said: string) =>
  `the server's certificate ${what} (${said}); check sslrootcert and the host in the store URL`;
const noAnswer = "no answer came in time; check host, port and firewall, or raise connect_timeout in the store URL";
const unreachable = "there is no way to that address; check the host in the store URL and the network";
const lost = "the connection was lost; try again";
const untrusted = certificate("was not issued by an authority that is trusted");

type Row = readonly [Trouble, string | ((said: string) => string)];

/** Codes of Node's sockets, name resolution and TLS. */
const byCode: Readonly<Record<string, Row>> = {
  ENOTFOUND: ["configuration", "there is no such host; check the host in the store URL"],
  EAI_AGAIN: ["moment", "the host's name cannot be resolved now; check the network and its name server"],
  ECONNREFUSED: ["moment", "nothing listens there; start the server, or check host and port in the store URL"],
  ENOENT: ["moment", "there is no such socket; start the server, or check folder and port in the store URL"],
  EACCES: ["configuration", "the socket may not be used by this process's user; check its permissions"],
  ETIMEDOUT: ["moment", noAnswer],
  EHOSTUNREACH: ["moment", unreachable],
  ENETUNREACH: ["moment", unreachable],
  ECONNRESET: ["moment", lost],
  EPIPE: ["moment", lost],
  ERR_STREAM_DESTROYED: ["moment", lost],
  DEPTH_ZERO_SELF_SIGNED_CERT: ["configuration", untrusted],
  SELF_SIGNED_CERT_IN_CHAIN: ["configuration", untrusted],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ["configuration", untrusted],
  UNABLE_TO_GET_ISSUER_CERT: ["configuration", untrusted],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ["configuration", untrusted],
  CERT_SIGNATURE_FAILURE: ["configuration", untrusted],
  CERT_REVOKED: ["configuration", certificate("was revoked")],
  CERT_HAS_EXPIRED: ["configuration", certificate("has expired")],
  CERT_NOT_YET_VALID: ["configuration", certificate("is not valid yet")],
  ERR_TLS_CERT_ALTNAME_INVALID: ["configuration", certificate("is for another name")],
};

/** The words in OpenSSL's `id:error:number:library:function:words:file:line:more`. */
const opensslReason = (said: string): string => /:error:\w+:[^:]*:[^:]*:([^:]+):/.exec(said)?.[1] ?? said;

/** What node-postgres says in words alone, and TLS in many codes. */
const byWords: readonly (readonly [RegExp, Row])[] = [
  [
    /does not support SSL/,
    ["configuration", "the server offers no TLS; switch it on there, or write sslmode=disable in the store URL"],
  ],
  [
    /error establishing an SSL connection/,
    ["configuration", "what answered is not PostgreSQL, or cannot speak now; check host and port in the store URL"],
  ],
  [
    /password must be a|no password|SASL.*password/i,
    [
      "configuration",
      "the server asks for a password and there is none; write it into the store URL, or set PGPASSWORD",
    ],
  ],
  [
    /timeout exceeded when trying to connect/,
    ["moment", "no connection became free in time; raise pool_size in the store URL"],
  ],
  [/timeout expired|connection timeout/, ["moment", noAnswer]],
  [
    /Query read timeout/,
    ["moment", "the server did not answer in time; raise statement_timeout in the store URL if it is only slow"],
  ],
  [/Connection terminated|not queryable/, ["moment", lost]],
  [
    /\bSSL\b|\bTLS\b|\balert\b/i,
    [
      "configuration",
      (said) => `TLS failed (${opensslReason(said)}); check sslmode, sslcert and sslkey in the store URL`,
    ],
  ],
];

/** Explains an error that did not come from the server. */
export function explainConnection(code: string, said: string): Explanation {
  const found = byCode[code] ?? byWords.find(([words]) => words.test(said))?.[1];
  if (found === undefined) return { trouble: "unforeseen" };
  const [trouble, why] = found;
  return { trouble, why: typeof why === "string" ? why : why(said) };
}
