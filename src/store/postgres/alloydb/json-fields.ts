/** The field of a parsed JSON object if it holds an object or array. */
export function objectIn(value: unknown, field: string): object | undefined {
  const found = fieldOf(value, field);
  return typeof found === "object" && found !== null ? found : undefined;
}

/** The field of a parsed JSON object if it holds a text that is not empty. */
export function textIn(value: unknown, field: string): string | undefined {
  const found = fieldOf(value, field);
  return typeof found === "string" && found !== "" ? found : undefined;
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, field) : undefined;
}
