import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";

/** A parsed JSON object whose fields are not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parses text that must be one JSON object. Throws what `JSON.parse` throws, or a plain error. */
export function parseObject(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("not a JSON object");
  return { ...value };
}

/** A field that must be text. */
export function textField(object: JsonObject, field: string): string {
  const value = object[field];
  if (typeof value !== "string") throw new Error(`field ${field} is not text`);
  return value;
}

/** A field that must be a number. */
export function numberField(object: JsonObject, field: string): number {
  const value = object[field];
  if (typeof value !== "number") throw new Error(`field ${field} is not a number`);
  return value;
}

/** Adds one line to a file and waits until it is on the disk: what was appended survives the writer's death. */
export function appendLine(path: string, value: object): void {
  const file = openSync(path, "a");
  try {
    writeSync(file, `${JSON.stringify(value)}\n`);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Every line of a file, decoded; none when the file does not exist. */
export function readLines<T>(path: string, decode: (object: JsonObject) => T): readonly T[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => decode(parseObject(line)));
}
