import { configError } from "../config-values.ts";
import { readSettingFile } from "../setting-file.ts";
import type { SettingName, SettingTexts } from "../settings.ts";
import type { AdmissionRule } from "./admission-rule.ts";
import type { IdTokenConfig } from "./id-token-gate.ts";
import { parseEmails, parseRules, parseScopes } from "./parse-rules.ts";
import { asymmetricAlgorithms, googleIssuer, issuerUrlFault, type TrustedIssuer } from "./trusted-issuer.ts";

/** The ways to authenticate callers. */
export const authModes = ["none", "token", "google", "jwt"] as const;
/** One of {@link authModes}. */
export type AuthMode = (typeof authModes)[number];

const ruleSettings = ["authAudience", "authRules", "authAllow", "authTenant", "authScopes"] as const;
const issuerSettings = ["authIssuer", "authJwksUrl"] as const;

/** Whose ID tokens are taken, `null` when none are. A setting that nothing would read is CONFIG_INVALID. */
export function readIdTokenConfig(texts: SettingTexts, auth: AuthMode): IdTokenConfig | null {
  const idle: readonly SettingName[] = auth === "jwt" ? [] : auth === "google" ? issuerSettings : idTokenSettings;
  const useless = idle.find((name) => texts.text(name) !== "");
  if (useless !== undefined) throw configError(texts.label(useless), `--auth ${auth} ignores it; take it away`);
  if (auth !== "google" && auth !== "jwt") return null;
  const audiences = list(texts, "authAudience");
  if (audiences.length === 0) {
    throw configError(texts.label("auth"), `${auth} needs TAPE_AUTH_AUDIENCE, which says what ID tokens must be for`);
  }
  const issuer = auth === "google" ? googleIssuer : readIssuer(texts);
  return Object.freeze({ issuer, audiences, rules: readRules(texts, auth) });
}

const idTokenSettings: readonly SettingName[] = [...ruleSettings, ...issuerSettings];

function readIssuer(texts: SettingTexts): TrustedIssuer {
  const name = texts.text("authIssuer");
  if (name === "") throw configError(texts.label("auth"), "jwt needs TAPE_AUTH_ISSUER, as tokens name their issuer");
  const jwksUrl = texts.text("authJwksUrl");
  // Issuers are names; one whose keys are given elsewhere need not be a place.
  checkUrl(...(jwksUrl === "" ? texts.labelled("authIssuer") : texts.labelled("authJwksUrl")));
  return Object.freeze({
    names: [name] as const,
    jwksUrl: jwksUrl === "" ? null : jwksUrl,
    algorithms: asymmetricAlgorithms,
    verifiedEmail: false,
  });
}

function checkUrl(text: string, label: string): void {
  const fault = issuerUrlFault(text);
  // A text with a secret in it is not repeated.
  if (fault !== undefined) throw configError(label, `${text.includes("@") ? "it" : `"${text}"`} ${fault}`);
}

function readRules(texts: SettingTexts, auth: "google" | "jwt"): readonly AdmissionRule[] {
  const file = readSettingFile(texts, "authRules");
  if (file === null) return [shortRule(texts, auth)];
  const beside = (["authAllow", "authTenant", "authScopes"] as const).find((name) => texts.text(name) !== "");
  if (beside !== undefined) {
    throw configError(texts.label(beside), "the rules file says it all; put it there, or take the file away");
  }
  const rules = parseRules(...file);
  const open = rules.findIndex(({ emails }) => emails === undefined);
  if (auth === "google" && open >= 0) {
    throw configError(
      file[1],
      `rules[${open}] has no emails; --auth google admits by the e-mail of the service account`,
    );
  }
  return rules;
}

/** For a server of one tenant: a rule in three settings. */
function shortRule(texts: SettingTexts, auth: "google" | "jwt"): AdmissionRule {
  const allowed = list(texts, "authAllow");
  if (allowed.length === 0) {
    throw configError(
      texts.label("auth"),
      `${auth} needs TAPE_AUTH_ALLOW or TAPE_AUTH_RULES, which say who is admitted`,
    );
  }
  const scopes = parseScopes(list(texts, "authScopes"), texts.label("authScopes"));
  return Object.freeze({
    tenant: texts.text("authTenant"),
    scopes,
    ...(auth === "google" ? { emails: parseEmails(allowed, texts.label("authAllow")) } : { subjects: allowed }),
  });
}

function list(texts: SettingTexts, name: SettingName): readonly string[] {
  const parts = texts.text(name).split(",");
  return Object.freeze(parts.map((part) => part.trim()).filter((part) => part !== ""));
}
