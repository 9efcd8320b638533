import { describe, expect, it } from "vitest";
import { TapeError } from "../../errors.ts";
import { parseRules } from "./parse-rules.ts";

const rule = { tenant: "acme", scopes: ["refunds"], emails: ["a@acme.example"] };

function fault(rules: unknown): string {
  try {
    parseRules(typeof rules === "string" ? rules : JSON.stringify(rules), "TAPE_AUTH_RULES (rules.json)");
  } catch (error) {
    if (error instanceof TapeError && error.reason === "CONFIG_INVALID") return error.message;
    throw error;
  }
  return "none";
}

describe("a rules file", () => {
  it("says per tenant who is admitted, and which scopes they may grant", () => {
    const rules = [
      rule,
      { tenant: "acme", scopes: [], subjects: ["system:serviceaccount:agents:reader"] },
      { tenant: "", scopes: ["*"], claims: { groups: ["tape", "ops"], hd: "acme.example" } },
    ];
    expect(parseRules(JSON.stringify({ rules }), "x")).toEqual([
      rule,
      { tenant: "acme", scopes: [], subjects: ["system:serviceaccount:agents:reader"] },
      { tenant: "", scopes: null, claims: { groups: ["tape", "ops"], hd: ["acme.example"] } },
    ]);
  });

  it.each<[unknown, RegExp]>([
    ["{", /is not JSON/],
    [[], /the file must be an object/],
    [{}, /rules must be a list with at least one rule/],
    [{ rules: [] }, /at least one rule/],
    [{ rules: [rule], version: 1 }, /the file has "version", which is none of rules/],
    [{ rules: ["acme"] }, /rules\[0\] must be an object/],
    [{ rules: [{ ...rule, email: "x" }] }, /rules\[0\] has "email", which is none of tenant, scopes, emails/],
    [{ rules: [{ ...rule, tenant: undefined }] }, /rules\[0\]\.tenant must be a text/],
    [{ rules: [{ ...rule, tenant: 7 }] }, /rules\[0\]\.tenant must be a text/],
    [{ rules: [rule, { ...rule, scopes: undefined }] }, /rules\[1\]\.scopes must list the scopes/],
    [{ rules: [{ ...rule, scopes: "*" }] }, /scopes must list/],
    [{ rules: [{ ...rule, scopes: ["*", "refunds"] }] }, /scopes: "\*" is every scope, and stands alone/],
    [{ rules: [{ ...rule, scopes: ["refunds", 1] }] }, /scopes must be a list of texts/],
    [{ rules: [{ ...rule, emails: undefined }] }, /rules\[0\] admits everyone; say who/],
    [{ rules: [{ ...rule, emails: [] }] }, /emails must be a list of texts/],
    [{ rules: [{ ...rule, emails: [""] }] }, /emails must be a list of texts, none of them empty/],
    [{ rules: [{ ...rule, emails: [" a@b"] }] }, /spaces around it/],
    [{ rules: [{ ...rule, emails: ["acme"] }] }, /rules\[0\]\.emails: "acme" is no e-mail address$/],
    [{ rules: [{ ...rule, emails: ["serviceAccount:a@b"] }] }, /no e-mail address; leave out serviceAccount:$/],
    [{ rules: [{ ...rule, emails: "a@b" }] }, /emails must be a list of texts/],
    [{ rules: [{ ...rule, claims: {} }] }, /claims names no claim/],
    [{ rules: [{ ...rule, claims: { hd: [] } }] }, /claims\.hd must be a list of texts/],
    [{ rules: [rule, { ...rule, tenant: "globex" }] }, /rules\[1\]\.emails: a@acme\.example is admitted by rules\[0\]/],
  ])("is refused whole: %j", (file, expected) => {
    expect(fault(file)).toMatch(expected);
    expect(fault(file)).toMatch(/^TAPE_AUTH_RULES \(rules\.json\): /);
  });

  it("may name a caller again where an earlier rule asks for more of it", () => {
    const rules = [
      { ...rule, claims: { environment: "production" } },
      { ...rule, scopes: [] },
    ];
    expect(fault({ rules })).toBe("none");
    expect(fault({ rules: rules.toReversed() })).toMatch(/is admitted by rules\[0\] already/);
  });
});
