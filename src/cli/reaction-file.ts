import { TapeError } from "../errors.ts";
import type { Reaction } from "../model/reaction.ts";

/** What each field is; those that only the server sets are not among them. */
const fields = {
  reactionId: "string",
  name: "string",
  subjectPattern: "string",
  predicateCel: "string",
  handlerKind: "string",
  agentApp: "string",
  publishTarget: "string",
  maxConcurrency: "number",
  rateLimitPerS: "number",
  debounceMs: "number",
  retryMax: "number",
  retryBackoffMs: "number",
  dlqAfterN: "number",
  numShards: "number",
  bootstrapFromHead: "boolean",
} as const satisfies Partial<Record<keyof Reaction, string>>;

/** What a JSON text says of a reaction, in snake_case or camelCase. Errors: ARGUMENT_INVALID, naming the field. */
export function reactionOf(json: string): Reaction {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(objectOf(json))) {
    const field = name.replaceAll(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
    const type = Object.hasOwn(fields, field) ? fields[field as keyof typeof fields] : undefined;
    if (type === undefined) throw invalid(`a reaction has no field ${name}; it has ${Object.keys(fields).join(", ")}`);
    if (typeof value !== type) throw invalid(`${name} must be a ${type}`);
    found[field] = value;
  }
  for (const field of ["reactionId", "handlerKind"]) {
    if (typeof found[field] !== "string") throw invalid(`a reaction needs the field ${field}`);
  }
  const kind = String(found["handlerKind"])
    .toUpperCase()
    .replace(/^HANDLER_KIND_/, "");
  // Whether it is one of them, and everything else, is for the rules to say.
  return { subjectPattern: "", ...found, handlerKind: kind } as Reaction;
}

function objectOf(json: string): object {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw invalid("the file is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid("the file holds no JSON object");
  return value;
}

const invalid = (message: string): TapeError => new TapeError("ARGUMENT_INVALID", message);
