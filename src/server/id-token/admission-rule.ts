import type { IdTokenClaims } from "./verify-id-token.ts";

/** Whom a server admits: all conditions of a rule must hold, each by one of its values. The first rule decides. */
export interface AdmissionRule {
  /** Where callers of this rule are; empty is the unnamed tenant, the one of a server without authentication. */
  readonly tenant: string;
  /** Scopes that they may grant to a run; `null`: any. */
  readonly scopes: readonly string[] | null;
  /** E-mail addresses, of which only verified ones count. */
  readonly emails?: readonly string[];
  /** The claim `sub`. */
  readonly subjects?: readonly string[];
  /** Other claims by name: a text, number, flag, or a list of them, of which one must be among the values. */
  readonly claims?: Readonly<Record<string, readonly string[]>>;
}

/** The rule that admits the holder of a token, if any does. */
export function findRule<Rule extends AdmissionRule>(rules: readonly Rule[], claims: IdTokenClaims): Rule | undefined {
  return rules.find((rule) => holds(rule, claims));
}

/** What to call the holder of a token in a message: the e-mail address, else the subject. */
export function callerOf({ email, sub }: IdTokenClaims): string {
  return (typeof email === "string" ? email : (sub ?? "without a subject")).slice(0, longestName);
}

const longestName = 200;

function holds({ emails, subjects, claims: others = {} }: AdmissionRule, claims: IdTokenClaims): boolean {
  if (emails !== undefined && !(isVerified(claims) && meets(claims["email"], emails))) return false;
  if (subjects !== undefined && !meets(claims.sub, subjects)) return false;
  return Object.entries(others).every(([name, values]) => {
    // RFC 8693, section 4.2: a list in one text.
    const value = spaceSeparated.has(name) ? listOf(claims[name]) : claims[name];
    return Object.hasOwn(claims, name) && meets(value, values);
  });
}

const spaceSeparated: ReadonlySet<string> = new Set(["scope", "scp"]);

function listOf(value: unknown): unknown {
  return typeof value === "string" ? value.split(" ") : value;
}

/** Some issuers say it as a text. An address that nobody has verified is whatever its owner has typed. */
function isVerified({ email_verified: verified }: IdTokenClaims): boolean {
  return verified === true || verified === "true";
}

function meets(value: unknown, values: readonly string[]): boolean {
  if (Array.isArray(value)) return value.some((one) => !Array.isArray(one) && meets(one, values));
  if (typeof value === "string") return values.includes(value);
  return (typeof value === "number" || typeof value === "boolean") && values.includes(String(value));
}
