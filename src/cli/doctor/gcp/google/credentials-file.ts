import { readFile } from "node:fs/promises";
import { JsonView } from "./json-view.ts";
import { login, refused, variable, type RefusedLogin } from "./refused-login.ts";

/** The credentials in a file, to be looked at and to be handed to the library. */
export interface CredentialsFile {
  readonly kind: "read";
  readonly file: JsonView;
  readonly json: object;
}

/** The file that the variable names; undefined: it names none. */
export async function credentialsFile(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<CredentialsFile | RefusedLogin | undefined> {
  const path = environment[variable];
  if (path === undefined || path === "") return undefined;
  const unset = `unset ${variable}`;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) {
    return refused(`the file that ${variable} names cannot be read`, unset, login);
  }
  const file = parsed(text);
  if (file?.at("type").text === undefined) {
    const says = `the file that ${variable} names is no credentials file: it ${file === undefined ? "is not JSON" : "has no type"}`;
    return refused(says, unset, login);
  }
  return { kind: "read", file, json: JSON.parse(text) as object };
}

function parsed(text: string): JsonView | undefined {
  try {
    const view = new JsonView(JSON.parse(text));
    return view.isObject ? view : undefined;
  } catch {
    return undefined;
  }
}
