import { TapeError } from "../../errors.ts";
import { maskUrl } from "../mask-url.ts";

/** What URLs of a scheme look like. */
export interface ResourceForm<Part extends string, Parameter extends string> {
  /** As people write it: `bigtable://project/instance/table`. */
  readonly form: string;
  /** The parts behind `//`, in order, and what each must match. */
  readonly parts: Readonly<Record<Part, RegExp>>;
  /** The parameters, and what each must match, or between which numbers it must lie. */
  readonly parameters: Readonly<Record<Parameter, RegExp | readonly [lowest: number, highest: number]>>;
}

/** What a URL says: every part, and the parameters that are given. */
export interface Resource<Part extends string, Parameter extends string> {
  readonly parts: Readonly<Record<Part, string>>;
  readonly text: (name: Parameter) => string | undefined;
  readonly number: (name: Parameter) => number | undefined;
}

/** `host:port` of an emulator. */
export const emulatorHost: RegExp = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/;
/** A project's id, also one of a domain. */
export const projectId: RegExp = /^[a-z][a-z0-9.:-]{0,98}$/;

/** Reads a URL that names something in a Google Cloud project. Errors: STORE_URL_INVALID. */
export function parseResourceUrl<Part extends string, Parameter extends string>(
  url: string,
  { form, parts, parameters }: ResourceForm<Part, Parameter>,
): Resource<Part, Parameter> {
  const refuse = (why: string): TapeError =>
    new TapeError("STORE_URL_INVALID", `store URL ${JSON.stringify(maskUrl(url))} is not valid: ${why}`);
  const match = /^[a-z]+:\/\/([^?#]*)(?:\?([^#]*))?$/i.exec(url);
  const texts = match?.[1]?.split("/") ?? [];
  const names = Object.keys(parts) as Part[];
  if (texts.length !== names.length || texts.includes("")) throw refuse(`it must be ${form}`);
  const named = Object.fromEntries(
    names.map((name, i) => {
      const text = texts[i] ?? "";
      if (!parts[name].test(text)) throw refuse(`the ${name} must match ${parts[name].source}`);
      return [name, text];
    }),
  ) as Record<Part, string>;

  const given = new Map<Parameter, string>();
  for (const pair of (match?.[2] ?? "").split("&").filter((part) => part !== "")) {
    const at = pair.indexOf("=");
    const text = at < 0 ? pair : pair.slice(0, at);
    const name = (Object.keys(parameters) as Parameter[]).find((known) => known === text);
    if (name === undefined) {
      throw refuse(`there is no such parameter; there are ${Object.keys(parameters).join(", ")}`);
    }
    if (at < 0 || given.has(name)) throw refuse(`${name} must be given once, with a value`);
    const value = pair.slice(at + 1);
    const rule = parameters[name];
    if (rule instanceof RegExp) {
      if (!rule.test(value)) throw refuse(`the ${name} must match ${rule.source}`);
    } else {
      const [lowest, highest] = rule;
      const number = /^\d{1,9}$/.test(value) ? Number(value) : -1;
      if (number < lowest || number > highest) {
        throw refuse(`${name} must be a whole number from ${lowest} to ${highest}`);
      }
    }
    given.set(name, value);
  }
  const text = (name: Parameter): string | undefined => given.get(name);
  return {
    parts: named,
    text,
    number: (name) => {
      const value = text(name);
      return value === undefined ? undefined : Number(value);
    },
  };
}
