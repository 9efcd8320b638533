/** The fields of a `payload_json` (R52), read leniently: a server may be newer than this command. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(json: string) {
    this.#values = parseObject(json);
  }

  /** A field as text; empty when it is absent. */
  text(name: string): string {
    const value = this.#values[name];
    if (value === undefined || value === null) return "";
    return typeof value === "string" ? value : JSON.stringify(value);
  }

  /** A field as number; 0 when it is absent. */
  number(name: string): number {
    const value = this.#values[name];
    return typeof value === "number" ? value : 0;
  }
}

/** The object that a JSON text stands for; an empty one when it stands for none. */
function parseObject(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

/** JSON text as the value it stands for; as text when it is no JSON, `null` when it is empty. */
export function parsedJson(json: string): unknown {
  if (json === "") return null;
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
