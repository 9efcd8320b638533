import { configError } from "../config-values.ts";
import type { AdmissionRule } from "./admission-rule.ts";

/** The one word that stands for every scope. */
const anyScope = "*";

const ruleKeys: ReadonlySet<string> = new Set(["tenant", "scopes", "emails", "subjects", "claims"]);

/**
 * Reads a rules file: `{"rules": [{"tenant", "scopes", "emails", "subjects", "claims"}, ...]}`. Whatever is misspelt,
 * missing or can never hold is CONFIG_INVALID and named: a rule that nobody reads as it was meant opens or shuts a door.
 */
export function parseRules(text: string, setting: string): readonly AdmissionRule[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw configError(setting, "is not JSON", cause);
  }
  const { rules, ...others } = record(document, setting, "the file");
  refuseOthers(Object.keys(others), setting, "the file", "rules");
  const items = Array.isArray(rules) ? (rules as readonly unknown[]) : [];
  if (items.length === 0) throw configError(setting, "rules must be a list with at least one rule");
  const parsed = items.map((item, index) => parseRule(item, setting, `rules[${index}]`));
  for (const condition of ["emails", "subjects"] as const) refuseShadowed(parsed, condition, setting);
  return Object.freeze(parsed);
}

function parseRule(value: unknown, setting: string, place: string): AdmissionRule {
  const rule = record(value, setting, place);
  const unknown = Object.keys(rule).filter((key) => !ruleKeys.has(key));
  refuseOthers(unknown, setting, place, [...ruleKeys].join(", "));
  const { tenant, claims } = rule;
  if (typeof tenant !== "string") {
    throw configError(setting, `${place}.tenant must be a text; "" is the unnamed tenant`);
  }
  const list = (name: string): readonly string[] => texts(rule[name], setting, `${place}.${name}`);
  const conditions = {
    ...(rule["emails"] === undefined ? {} : { emails: parseEmails(list("emails"), `${setting}: ${place}.emails`) }),
    ...(rule["subjects"] === undefined ? {} : { subjects: list("subjects") }),
    ...(claims === undefined ? {} : { claims: parseClaims(claims, setting, `${place}.claims`) }),
  };
  if (Object.keys(conditions).length === 0) {
    throw configError(setting, `${place} admits everyone; say who, by emails, subjects or claims`);
  }
  if (!Array.isArray(rule["scopes"])) {
    throw configError(
      setting,
      `${place}.scopes must list the scopes that may be granted to a run; [] is none, ["*"] any`,
    );
  }
  const scopes = rule["scopes"].length === 0 ? [] : list("scopes");
  return Object.freeze({ tenant, scopes: parseScopes(scopes, `${setting}: ${place}.scopes`), ...conditions });
}

/** E-mail addresses, each of which a token can have. */
export function parseEmails(emails: readonly string[], setting: string): readonly string[] {
  const other = emails.find((email) => !/^[^\s@:]+@[^\s@:]+$/.test(email));
  if (other === undefined) return emails;
  // How IAM writes its members, and so what people have at hand.
  const way = other.startsWith("serviceAccount:") ? "; leave out serviceAccount:" : "";
  throw configError(setting, `"${other}" is no e-mail address${way}`);
}

/** Scopes as they are kept: `null` for any. */
export function parseScopes(scopes: readonly string[], setting: string): readonly string[] | null {
  if (!scopes.includes(anyScope)) return scopes;
  if (scopes.length > 1) throw configError(setting, `"${anyScope}" is every scope, and stands alone`);
  return null;
}

function parseClaims(value: unknown, setting: string, place: string): Readonly<Record<string, readonly string[]>> {
  const claims = Object.entries(record(value, setting, place));
  if (claims.length === 0) throw configError(setting, `${place} names no claim`);
  return Object.freeze(
    Object.fromEntries(
      claims.map(([name, values]) => [
        name,
        texts(typeof values === "string" ? [values] : values, setting, `${place}.${name}`),
      ]),
    ),
  );
}

/** A later rule that names nobody new would never be reached, and be read as if it were. */
function refuseShadowed(rules: readonly AdmissionRule[], condition: "emails" | "subjects", setting: string): void {
  const seen = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    for (const value of rule[condition] ?? []) {
      const first = seen.get(value);
      if (first !== undefined) {
        throw configError(
          setting,
          `rules[${index}].${condition}: ${value} is admitted by rules[${first}] already; the first rule decides`,
        );
      }
    }
    // With a second condition a rule leaves some of its callers to later ones.
    const alone = [rule.emails, rule.subjects, rule.claims].filter((one) => one !== undefined).length === 1;
    if (alone) for (const value of rule[condition] ?? []) seen.set(value, index);
  }
}

function record(value: unknown, setting: string, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw configError(setting, `${place} must be an object`);
}

function texts(value: unknown, setting: string, place: string): readonly string[] {
  const items = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const found = items.filter((item): item is string => typeof item === "string" && item !== "" && item === item.trim());
  if (found.length === 0 || found.length < items.length) {
    throw configError(setting, `${place} must be a list of texts, none of them empty or with spaces around it`);
  }
  return Object.freeze(found);
}

function refuseOthers(keys: readonly string[], setting: string, place: string, known: string): void {
  if (keys.length > 0) throw configError(setting, `${place} has "${keys[0]}", which is none of ${known}`);
}
