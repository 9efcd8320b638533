import { describe, expect, it } from "vitest";
import { callerOf, findRule, type AdmissionRule } from "./admission-rule.ts";

const exp = 2_000_000_000;
const rule = (conditions: Partial<AdmissionRule>): AdmissionRule => ({ tenant: "acme", scopes: [], ...conditions });
const admits = (conditions: Partial<AdmissionRule>, claims: object): boolean =>
  findRule([rule(conditions)], { exp, ...claims }) !== undefined;

describe("a rule", () => {
  it.each<[string, boolean, Partial<AdmissionRule>, object]>([
    ["a verified address", true, { emails: ["a@b"] }, { email: "a@b", email_verified: true }],
    ["an address verified in a text", true, { emails: ["a@b"] }, { email: "a@b", email_verified: "true" }],
    ["an address that nobody verified", false, { emails: ["a@b"] }, { email: "a@b" }],
    ["an address found false", false, { emails: ["a@b"] }, { email: "a@b", email_verified: false }],
    ["no address", false, { emails: ["a@b"] }, { email_verified: true }],
    ["a subject", true, { subjects: ["x", "y"] }, { sub: "y" }],
    ["another subject", false, { subjects: ["x"] }, { sub: "x2" }],
    ["no subject", false, { subjects: ["x"] }, {}],
    ["a claim", true, { claims: { hd: ["b"] } }, { hd: "b" }],
    ["one of a list", true, { claims: { groups: ["ops", "dev"] } }, { groups: ["hr", "dev"] }],
    ["none of a list", false, { claims: { groups: ["ops"] } }, { groups: ["hr"] }],
    ["a number", true, { claims: { org: ["17"] } }, { org: 17 }],
    ["a flag", true, { claims: { admin: ["true"] } }, { admin: true }],
    ["an object", false, { claims: { org: ["[object Object]"] } }, { org: {} }],
    ["nothing", false, { claims: { org: ["null"] } }, { org: null }],
    ["a list in a list", false, { claims: { groups: ["ops"] } }, { groups: [["ops"]] }],
    ["what every object has", false, { claims: { constructor: ["x"] } }, {}],
    ["a scope in a text", true, { claims: { scope: ["tape"] } }, { scope: "openid tape" }],
    ["words in another text", false, { claims: { name: ["tape"] } }, { name: "openid tape" }],
    ["all conditions", true, { subjects: ["x"], claims: { hd: ["b"] } }, { sub: "x", hd: "b" }],
    ["one condition of two", false, { subjects: ["x"], claims: { hd: ["b"] } }, { sub: "x", hd: "c" }],
    ["one claim of two", false, { claims: { hd: ["b"], org: ["1"] } }, { hd: "b" }],
  ])("looks at %s: %s", (_what, expected, conditions, claims) => {
    expect(admits(conditions, claims)).toBe(expected);
  });

  it("decides alone when it is the first that fits", () => {
    const rules = [rule({ subjects: ["x"] }), rule({ tenant: "globex", claims: { hd: ["b"] } })];
    expect(findRule(rules, { exp, sub: "x", hd: "b" })?.tenant).toBe("acme");
    expect(findRule(rules, { exp, sub: "y", hd: "b" })?.tenant).toBe("globex");
    expect(findRule(rules, { exp, sub: "y", hd: "c" })).toBeUndefined();
  });
});

it("calls a caller by address, subject, or not at all, and never at length", () => {
  expect(callerOf({ exp, email: "a@b", sub: "1" })).toBe("a@b");
  expect(callerOf({ exp, sub: "1" })).toBe("1");
  expect(callerOf({ exp })).toBe("without a subject");
  expect(callerOf({ exp, sub: "x".repeat(5000) })).toHaveLength(200);
});
