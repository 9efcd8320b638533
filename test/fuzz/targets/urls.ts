import fc from "fast-check";
import { TapeError } from "../../../src/errors.ts";
import { createStore, maskUrl, placeOfStore } from "../../../src/store/open-store.ts";
import { pure, wrong, type Target } from "../target.ts";

/** A URL, and the password that somebody put into it, as it stands there. */
interface Input {
  readonly url: string;
  readonly password: string;
}

const scheme = fc.constantFrom(
  "postgres",
  "postgresql",
  "alloydb",
  "POSTGRES",
  "bigtable",
  "spanner",
  "sqlite",
  "memory",
  "mysql",
  "http",
  "tape",
  "",
);
const separator = fc.constantFrom("://", "://", "://", ":", ":/", ":///", "//", "", "::");
const odd = fc.constantFrom(
  "",
  ":",
  "@",
  "/",
  "?",
  "#",
  "&",
  "=",
  "%",
  "%zz",
  "%00",
  "%40",
  "[",
  "]",
  " ",
  "\n",
  "\0",
  "\\",
  "+",
  ",",
  "é",
  "\ud800",
);
const name = fc.oneof(
  fc.constantFrom("db", "localhost", "::1", "[::1]", "a.b", "my-project", "tape", ":memory:", "projects/p"),
  fc.string({ maxLength: 5 }),
);
/** Unlike anything else in a URL, with what people's passwords have in them. */
const password = fc
  .tuple(
    fc.constantFrom("s3cr", "Tr0ub"),
    fc.array(fc.oneof(odd, fc.constantFrom("x", "9")), { maxLength: 3 }),
    fc.constantFrom("3tZQ", "dorQZ"),
  )
  .map(([before, middle, after]) => `${before}${middle.join("")}${after}`);
const parameter = fc.constantFrom(
  "sslmode=require",
  "sslmode=x",
  "pool_size=5",
  "pool_size=-1",
  "schema=s",
  "schema=pg_x",
  "iam=true",
  "instance=projects/a/locations/b/clusters/c/instances/d",
  "listen=true",
  "pgbouncer=true",
  "host=/tmp",
  "port=0",
  "user=u",
  "appProfile=x",
  "emulator=localhost:1",
  "x",
  "=",
  "options=-c%20a",
);
const secretParameter = fc.constantFrom(
  "password",
  "PASSWORD",
  "passwd",
  "pwd",
  "sslpassword",
  "token",
  "p%61ssword",
  "secret_key",
);

const loginUrl = fc
  .record({
    scheme,
    separator,
    user: name,
    password,
    at: fc.constantFrom("@", "@", "@", "@@", ""),
    host: name,
    port: fc.constantFrom("", ":5432", ":0", ":x", ":1:2", ":99999999999"),
    path: fc.constantFrom("", "/db", "/", "/a/b/c", "/%"),
    parameters: fc.array(parameter, { maxLength: 3 }),
  })
  .filter(({ at }) => at !== "")
  .map(({ password: secret, ...parts }) => ({
    url: `${parts.scheme}${parts.separator}${parts.user}:${secret}${parts.at}${parts.host}${parts.port}${parts.path}${parts.parameters.length > 0 ? `?${parts.parameters.join("&")}` : ""}`,
    password: secret,
  }));

const parameterUrl = fc
  .record({
    scheme,
    host: name,
    secretParameter,
    password,
    before: fc.array(parameter, { maxLength: 2 }),
    after: fc.array(parameter, { maxLength: 2 }),
  })
  .map((parts) => ({
    url: `${parts.scheme}://${parts.host}/db?${[...parts.before, `${parts.secretParameter}=${parts.password}`, ...parts.after].join("&")}`,
    password: parts.password,
  }));

const anyUrl = fc
  .tuple(scheme, separator, fc.array(fc.oneof(name, odd, parameter), { maxLength: 8 }))
  .map(([start, middle, rest]) => ({ url: `${start}${middle}${rest.join("")}`, password: "" }));

/** What follows `sqlite:` is the name of a file, which is no secret. */
const isFile = (url: string): boolean => /^sqlite:(?!\/\/)/i.test(url);

/** The longest pieces of a password that mean nothing elsewhere. */
const piecesOf = (secret: string): readonly string[] =>
  secret.split(/[^A-Za-z0-9]+/).filter((piece) => /^(?:s3cr|Tr0ub)|(?:3tZQ|dorQZ)$/.test(piece));

function mustNotTell(text: string, secret: string, where: string): void {
  for (const piece of piecesOf(secret)) if (text.includes(piece)) wrong(`the password is in ${where}`);
}

/** What takes a URL. */
export interface UrlTaker {
  readonly createStore: (url: string) => Promise<unknown>;
  readonly maskUrl: (url: string) => string;
  readonly placeOfStore: (url: string) => Promise<unknown>;
}

/** One outcome or one error, in one line and without the password. */
export const checkUrls =
  (taker: UrlTaker) =>
  async ({ url, password: given }: Input): Promise<string> => {
    const secret = isFile(url) ? "" : given;
    const masked = taker.maskUrl(url);
    mustNotTell(masked, secret, "the masked URL");
    if (/\p{Cc}/u.test(masked)) wrong("the masked URL has control characters");
    let outcome = "store";
    for (const take of [taker.createStore, taker.placeOfStore]) {
      try {
        await take(url);
      } catch (error) {
        if (!(error instanceof TapeError)) wrong(`an error that is no TapeError: ${String(error)}`);
        if (error.reason !== "STORE_URL_INVALID") wrong(`refused with ${error.reason}`);
        if (/\p{Cc}/u.test(error.message)) wrong("the message is not one line");
        mustNotTell(`${error.message} ${JSON.stringify(error.ids)} ${error.stack ?? ""}`, secret, "the error");
        outcome = /: ([a-z_]+ [a-z]+ [a-z]+)/i.exec(error.message)?.[1] ?? "refused";
      }
    }
    return outcome;
  };

/** Store URLs: a store or one STORE_URL_INVALID, and never the password. Nothing is connected to. */
export const urls: Target<Input> = {
  name: "urls",
  inputs: fc.oneof(loginUrl, parameterUrl, anyUrl),
  open: pure(
    checkUrls({
      createStore: (url) => createStore(url, { environment: { TAPE_SPANNER_EXPERIMENTAL: "1" } }),
      maskUrl,
      placeOfStore,
    }),
  ),
};
