/*
 * Names inside names. Row ids and index keys are segments joined by "/"; a segment is any text, escaped so that two
 * different texts never collide and no text can reach into the next segment.
 */

const plain = /^[A-Za-z0-9_.-]+$/;
/** An escaped segment longer than this is cut and completed by its hash, which keeps every key below 1,024 bytes. */
const longestSegment = 160;
const cutSegment = 100;

const encodeByte = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** RFC 3986 percent-encoding that leaves letters, digits, `-`, `.`, `_` and `~`; the text must be well-formed. */
export const percentEncode = (text: string): string =>
  plain.test(text) ? text : encodeURIComponent(text).replace(/[!'()*]/g, encodeByte);

/** One segment of a subject (R52): percent-encoded, `_` when empty, so `_` itself is `%5F`. */
export const subjectSegment = (text: string): string =>
  text === "" ? "_" : text === "_" ? "%5F" : percentEncode(text);

/**
 * One segment of a row id or index name: percent-encoded with `~` escaped too, `~` when empty. A long one is cut and
 * completed by `~` and its SHA-256, so it cannot be decoded; the row's head holds the text.
 */
export function keySegment(text: string, hash: (text: string) => string): string {
  if (text === "") return "~";
  if (text.length <= longestSegment && plain.test(text)) return text;
  const escaped = percentEncode(text).replaceAll("~", "%7E");
  return escaped.length <= longestSegment ? escaped : `${escaped.slice(0, cutSegment)}~${hash(text)}`;
}
