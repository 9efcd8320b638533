import { randomUUID } from "node:crypto";

/** The token of those who make the calls that are looked at; its tenant is the unnamed one. */
export const matrixToken = "token-of-the-matrix";
/** The token of the load: another tenant, because its agents take up every run that nobody holds. */
export const loadToken = "token-of-the-load";
/** The token of the load while `tape serve` is killed at any moment. */
export const killsToken = "token-of-the-kills";

/** In the names of this run, so that a store may be used for several. */
export const runName: string = randomUUID().slice(0, 8);

/** What a server is told, to know them all. */
export const admission: Readonly<Record<"TAPE_AUTH" | "TAPE_TOKENS", string>> = {
  TAPE_AUTH: "token",
  TAPE_TOKENS: `${matrixToken},load-${runName}:${loadToken},kills-${runName}:${killsToken}`,
};
