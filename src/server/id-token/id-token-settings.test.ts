import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TapeError } from "../../errors.ts";
import { describeConfig, loadConfig, type ServerConfig } from "../config.ts";
import type { ConfigFlags, Environment } from "../settings.ts";
import { asymmetricAlgorithms, googleIssuer } from "./trusted-issuer.ts";

const folder = mkdtempSync(join(tmpdir(), "tape-rules-"));
const rule = { tenant: "acme", scopes: ["refunds"], emails: ["a@acme.example"] };

afterAll(() => rmSync(folder, { recursive: true }));

function rulesFile(...rules: readonly object[]): string {
  const file = join(mkdtempSync(join(folder, "r")), "rules.json");
  writeFileSync(file, JSON.stringify({ rules }));
  return file;
}

function load(flags: ConfigFlags, env: Environment = {}): ServerConfig {
  return loadConfig(flags, env, false);
}

function fault(flags: ConfigFlags, env: Environment = {}): string {
  try {
    load(flags, env);
  } catch (error) {
    if (error instanceof TapeError && error.reason === "CONFIG_INVALID") return error.message;
    throw error;
  }
  return "none";
}

const google = { auth: "google", authAudience: "https://tape.example", authAllow: "a@acme.example" };
const jwt = { ...google, auth: "jwt", authIssuer: "https://issuer.example" };

describe("the settings for ID tokens", () => {
  it("need three words for one tenant of Google's service accounts", () => {
    const env = {
      TAPE_AUTH: "google",
      TAPE_AUTH_AUDIENCE: "https://tape.example, https://tape-x.a.run.app",
      TAPE_AUTH_ALLOW: "a@acme.example,b@acme.example",
    };
    const { auth, idTokens } = load({}, env);
    expect(auth).toBe("google");
    expect(idTokens).toEqual({
      issuer: googleIssuer,
      audiences: ["https://tape.example", "https://tape-x.a.run.app"],
      rules: [{ tenant: "", scopes: [], emails: ["a@acme.example", "b@acme.example"] }],
    });
    expect(load({ ...google, authTenant: "acme", authScopes: "refunds,mail" }).idTokens?.rules).toEqual([
      { tenant: "acme", scopes: ["refunds", "mail"], emails: ["a@acme.example"] },
    ]);
    expect(load({ ...google, authScopes: "*" }).idTokens?.rules).toMatchObject([{ scopes: null }]);
  });

  it("take any issuer, which is asked for its keys", () => {
    expect(load(jwt).idTokens).toEqual({
      issuer: {
        names: ["https://issuer.example"],
        jwksUrl: null,
        algorithms: asymmetricAlgorithms,
        verifiedEmail: false,
      },
      audiences: ["https://tape.example"],
      rules: [{ tenant: "", scopes: [], subjects: ["a@acme.example"] }],
    });
    const keys = { ...jwt, authIssuer: "urn:issuer", authJwksUrl: "http://[::1]:8080/keys" };
    expect(load(keys).idTokens?.issuer).toMatchObject({ names: ["urn:issuer"], jwksUrl: "http://[::1]:8080/keys" });
  });

  it("take no symmetric algorithm, and none that is no signature", () => {
    expect(asymmetricAlgorithms.filter((name) => !/^(RS|PS|ES)(256|384|512)$|^Ed/.test(name))).toEqual([]);
    expect(googleIssuer.algorithms).toEqual(["RS256"]);
  });

  it("take the rules of a file", () => {
    const { authAllow: _, ...rest } = google;
    expect(load({ ...rest, authRules: rulesFile(rule) }).idTokens?.rules).toEqual([rule]);
  });

  it("are shown", () => {
    const shown = describeConfig(load(jwt)).filter(({ name }) => name.startsWith("auth"));
    expect(Object.fromEntries(shown.map(({ env, value }) => [env, value]))).toEqual({
      TAPE_AUTH: "jwt",
      TAPE_AUTH_AUDIENCE: "https://tape.example",
      TAPE_AUTH_ALLOW: "a@acme.example",
      TAPE_AUTH_TENANT: "",
      TAPE_AUTH_SCOPES: "",
      TAPE_AUTH_RULES: "",
      TAPE_AUTH_ISSUER: "https://issuer.example",
      TAPE_AUTH_JWKS_URL: "",
    });
  });

  it("let a server listen to the world", () => {
    expect(load({ ...google, listen: "0.0.0.0:7878" }).listen.host).toBe("0.0.0.0");
  });

  it.each<[ConfigFlags, RegExp]>([
    [{ ...google, authAudience: undefined }, /^--auth: google needs TAPE_AUTH_AUDIENCE/],
    [{ ...google, authAudience: " , " }, /^--auth: google needs TAPE_AUTH_AUDIENCE/],
    [{ ...google, authAllow: undefined }, /^--auth: google needs TAPE_AUTH_ALLOW or TAPE_AUTH_RULES/],
    [{ ...google, authAllow: "serviceAccount:a@b" }, /^--auth-allow: .* leave out serviceAccount:$/],
    [{ ...google, authIssuer: "https://x" }, /^--auth-issuer: --auth google ignores it/],
    [{ ...google, authJwksUrl: "https://x" }, /^--auth-jwks-url: --auth google ignores it/],
    [{ ...google, authScopes: "*,x" }, /^--auth-scopes: "\*" is every scope/],
    [{ ...google, authRules: "/nowhere/rules" }, /^--auth-rules: cannot read \/nowhere\/rules/],
    [{ ...google, authRules: rulesFile(rule) }, /^--auth-allow: the rules file says it all/],
    [
      { ...google, authAllow: undefined, authRules: rulesFile({ tenant: "a", scopes: [], subjects: ["1"] }) },
      /^--auth-rules \(.*\): rules\[0\] has no emails/,
    ],
    [{ ...google, authAllow: undefined, authRules: rulesFile({}) }, /^--auth-rules \(.*\): rules\[0\]\.tenant must be/],
    [{ ...jwt, authIssuer: undefined }, /^--auth: jwt needs TAPE_AUTH_ISSUER/],
    [{ ...jwt, authIssuer: "http://issuer.example" }, /^--auth-issuer: "http:\/\/issuer.example" must be https/],
    [{ ...jwt, authIssuer: "issuer" }, /^--auth-issuer: "issuer" is no URL/],
    [{ ...jwt, authJwksUrl: "http://10.0.0.1/keys" }, /^--auth-jwks-url: .* must be https/],
    [{ ...jwt, authJwksUrl: "https://u:secret@x/keys" }, /^--auth-jwks-url: it holds credentials/],
    [{ auth: "token", authAllow: "x" }, /^--auth-allow: --auth token ignores it/],
    [{ authAudience: "x" }, /^--auth-audience: --auth none ignores it/],
  ])("are refused when they cannot be meant: %j", (flags, expected) => {
    expect(fault(flags, flags["auth"] === "token" ? { TAPE_TOKENS: "token-of-acme-001" } : {})).toMatch(expected);
    expect(fault(flags)).not.toContain("secret");
  });

  it("refuse tokens beside them", () => {
    expect(fault(google, { TAPE_TOKENS: "token-of-acme-001" })).toMatch(/^--auth: google ignores the tokens given/);
  });
});
