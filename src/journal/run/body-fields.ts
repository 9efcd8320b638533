/*
 * What the texts of an entry's body are: the fields of the wire that they came in, by kind of entry. A text that is
 * empty, because nothing was given or because the run was compacted (R75), is left out.
 */

const decision = ["request_json", "response_json"] as const;
const answer = ["response_json", "error_json"] as const;

const fieldsOf: Readonly<Record<string, readonly string[]>> = {
  "decision/recorded": decision,
  "effect/pending": ["request_json"],
  "effect/confirmed": answer,
  "effect/failed": answer,
  "effect/unknown": answer,
  "effect/observed": answer,
  "obligation/pending": ["payload_json", "compensator_ref", "max_attempts"],
  "obligation/compensated": ["result_json"],
  "obligation/stuck": ["result_json"],
  "gate/waiting": ["payload_json"],
  "gate/released": ["resolution_json"],
  "timer/set": ["payload_json"],
};

const detail = ["detail_json"] as const;

/** The texts of a body by the names of their fields; `kind` is `<kind>/<verb>`. */
export function bodyFields(kind: string, texts: readonly string[]): Readonly<Record<string, string>> {
  const names = fieldsOf[kind] ?? (kind.startsWith("run/") ? detail : []);
  const named = names.map((name, i) => [name, texts[i] ?? ""] as const);
  return Object.fromEntries(named.filter(([, text]) => text !== ""));
}
