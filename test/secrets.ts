/*
 * Every secret that tests use is made here, or is one of the few that look as they must and are listed here: so that
 * whatever a run prints can be searched for them at its end. What is found is named, and never shown again.
 */

const ending = "q7x9k2m4w8";

/** A secret with a name of lower-case letters, digits and hyphens. It may be a token, a password, or part of a payload. */
export const canary = (name: string): string => `tape-canary.${name}.${ending}`;

/** Also where it was cut off, escaped, or written in another case. */
const made = /tape-canar(?:y(?:[.%][0-9a-z.%-]*)?)?/gi;

/** Secrets whose form something else prescribes. */
const others: readonly (readonly [string, RegExp])[] = [
  ["a token of some test", /token-of-[a-z]+-?0*\d/g],
  ["the password of some test", /\bhunter2\b/g],
  ["a client secret of Google's form", /\bs-?3cr3?e?t\b(?!-of)/g],
  ["a refresh token of Google's form", /\b(?:1\/\/r3fr3sh|r3fresh)\b/g],
];

/** The names of the secrets that stand in a text. */
export function secretsIn(text: string): readonly string[] {
  const names = Array.from(text.matchAll(made), ([found]) => found.split(/[.%]/)[1] ?? "one cut off");
  return [...names, ...others.flatMap(([name, pattern]) => (text.match(pattern) === null ? [] : [name]))];
}
