/** The members of a stored entry. Throws on a text that is no JSON object: whoever reads the row says which it is. */
export function entryMeta(text: string): object {
  let meta: unknown;
  try {
    meta = JSON.parse(text);
  } catch {
    // Said below; the parser's message would quote the text.
  }
  if (typeof meta === "object" && meta !== null && !Array.isArray(meta)) return meta;
  throw new TypeError("the members of an entry are no JSON object");
}
