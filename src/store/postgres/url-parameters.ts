import type { Refusal } from "./url-parts.ts";

const common = [
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "schema",
  "application_name",
  "options",
  "pool_size",
  "connect_timeout",
  "statement_timeout",
  "pgbouncer",
  "listen",
] as const;

const alloydbOnly = ["instance", "iam", "ip"] as const;

/** A parameter that a store URL may have. */
export type ParameterName = (typeof common)[number] | (typeof alloydbOnly)[number];

/** The names that a URL of this kind may have. */
export const parameterNames = (kind: "postgres" | "alloydb"): readonly ParameterName[] =>
  kind === "alloydb" ? [...common, ...alloydbOnly] : common;

/** Reads the parameters of a URL, each in its own form. Nothing here quotes a value: it may be a misplaced password. */
export interface Parameters {
  text(name: ParameterName): string | undefined;
  /** A whole number within the bounds. */
  number(name: ParameterName, bounds: readonly [number, number], text?: string): number | undefined;
  flag(name: ParameterName): boolean | undefined;
  choice<const T extends string>(name: ParameterName, choices: readonly T[]): T | undefined;
}

/** The parameters of a URL as {@link Parameters}. Empty values are refused, except where empty means "none". */
export function readParameters(given: ReadonlyMap<string, string>, refuse: Refusal): Parameters {
  const mayBeEmpty: ReadonlySet<ParameterName> = new Set(["password", "options"]);
  const text = (name: ParameterName): string | undefined => {
    const value = given.get(name);
    if (value === "" && !mayBeEmpty.has(name)) throw refuse(`${name} is empty`);
    return value === "" ? undefined : value;
  };
  return {
    text,
    number: (name, [lowest, highest], value = text(name)) => {
      if (value === undefined) return undefined;
      const number = /^\d{1,10}$/.test(value) ? Number(value) : -1;
      if (number < lowest || number > highest) {
        throw refuse(`${name} must be a whole number from ${lowest} to ${highest}`);
      }
      return number;
    },
    flag: (name) => {
      const value = text(name);
      if (value !== undefined && value !== "true" && value !== "false") throw refuse(`${name} must be true or false`);
      return value === undefined ? undefined : value === "true";
    },
    choice: (name, choices) => {
      const value = text(name);
      if (value === undefined) return undefined;
      const found = choices.find((choice) => choice === value);
      if (found === undefined) throw refuse(`${name} must be one of ${choices.join(", ")}`);
      return found;
    },
  };
}
