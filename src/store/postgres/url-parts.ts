import type { TapeError } from "../../errors.ts";

/** Makes the error that says why a URL is refused. The sentence it is given must not quote what may be a password. */
export type Refusal = (why: string) => TapeError;

/** The parts of a URL, percent-decoded. A part that is empty is absent. */
export interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** A name, an address (IPv6 without its brackets) or a folder. */
  readonly host: string | undefined;
  readonly port: string | undefined;
  /** The path without its first slash. */
  readonly database: string | undefined;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Splits `scheme://user:password@host:port/database?name=value`. Not `URL`: it knows no folder and no raw `@` in a user
 * name, normalises what must stay as written, and quotes the whole URL, with its password, in its errors.
 */
export function urlParts(url: string, refuse: Refusal): UrlParts {
  // A secret read from a file often ends in a line break, which would become a part of the last value.
  if (/[\s\p{Cc}]/u.test(url)) throw refuse("it holds a space or a control character; those are written %20, %0A ...");
  if (url.includes("#")) throw refuse("it has a fragment; a # that belongs to a value is written %23");
  const match = /^([a-z]+):\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/i.exec(url);
  if (match === null) throw refuse("it must begin with the scheme and //");
  const [, scheme = "", authority = "", path = "", query = ""] = match;
  const decode = decoder(refuse);
  // The last @: names of cloud accounts hold one, and people write it as it is.
  const at = authority.lastIndexOf("@");
  const [user, password] = cut(authority.slice(0, Math.max(at, 0)), ":");
  const { host, port } = hostAndPort(authority.slice(at + 1), refuse);
  return {
    scheme: scheme.toLowerCase(),
    user: decode(user, "the user"),
    password: decode(password, "the password"),
    host: decode(host, "the host"),
    port,
    database: decode(path, "the database"),
    parameters: parametersOf(query, decode, refuse),
  };
}

function hostAndPort(text: string, refuse: Refusal): { readonly host: string; readonly port: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  const [host, port] = bracketed === null ? cut(text, ":") : [bracketed[1] ?? "", bracketed[2] ?? ""];
  if (bracketed !== null && !host.includes(":")) throw refuse("only an IPv6 address stands in brackets");
  if (port.includes(":")) {
    throw refuse("host and port hold too many colons; an IPv6 address is written in brackets, a : in a password %3A");
  }
  return { host, port: port === "" ? undefined : port };
}

type Decode = (text: string, what: string) => string | undefined;

const decoder =
  (refuse: Refusal): Decode =>
  (text, what) => {
    const decoded = percentDecoded(text);
    if (decoded === undefined) throw refuse(`${what} holds a % that is no escape; a % itself is written %25`);
    // The protocol ends a text at U+0000: what follows would be taken for the next field.
    if (decoded.includes("\u0000") || !decoded.isWellFormed())
      throw refuse(`${what} holds a character that cannot be sent`);
    return decoded === "" ? undefined : decoded;
  };

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A `+` stands for itself, as in libpq. Names are not decoded: none needs it. */
function parametersOf(query: string, decode: Decode, refuse: Refusal): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    if (!pair.includes("=")) throw refuse("a parameter has no value; they are written ?name=value&name=value");
    const [name, value] = cut(pair, "=");
    if (parameters.has(name)) throw refuse("a parameter is given twice");
    parameters.set(name, decode(value, "a parameter") ?? "");
  }
  return parameters;
}

/** A text before and behind the first `separator`. */
function cut(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
