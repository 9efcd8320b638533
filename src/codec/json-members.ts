/*
 * Shallow merging of JSON objects without parsing their values: payloads come back byte for byte, also numbers that
 * JavaScript cannot hold.
 */

/** The members of a JSON object as raw texts, in order; a later duplicate replaces an earlier one. */
export function splitMembers(object: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = object.indexOf("{") + 1;
  for (;;) {
    at = skipSpace(object, at);
    if (at >= object.length || object[at] === "}") return members;
    const keyEnd = endOfString(object, at);
    const key = JSON.parse(object.slice(at, keyEnd)) as string;
    const start = skipSpace(object, skipSpace(object, keyEnd) + 1);
    const end = endOfValue(object, start);
    members.set(key, object.slice(start, end).trimEnd());
    at = object[end] === "," ? end + 1 : end;
  }
}

/** The JSON object with these members. */
export const joinMembers = (members: ReadonlyMap<string, string>): string =>
  `{${Array.from(members, ([key, raw]) => `${JSON.stringify(key)}:${raw}`).join(",")}}`;

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) at += 1;
  return at;
}

/** The index behind the string that starts at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** The index of the `,` or `}` that ends the member value starting at `from`. The text is known to be valid JSON. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (character === "{" || character === "[") depth += 1;
    if (depth === 0 && (character === "," || character === "}")) return at;
    if (character === "}" || character === "]") depth -= 1;
    at += 1;
  }
  return at;
}
