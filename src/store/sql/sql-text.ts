/*
 * SQL engines cut a text at U+0000 (SQLite's bindings) or refuse it (PostgreSQL), but an entry's `ref` may hold any
 * character. U+0001 is the escape: U+0001 "0" stands for U+0000, U+0001 "1" for itself. Other texts are unchanged.
 */

// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const special = /[\u0000\u0001]/g;
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const escaped = /\u0001([01])/g;

/** A text as SQL engines can keep it. */
export const toSqlText = (text: string): string =>
  text.includes("\u0000") || text.includes("\u0001")
    ? text.replace(special, (character) => (character === "\u0000" ? "\u00010" : "\u00011"))
    : text;

/** The text that {@link toSqlText} was given. */
export const fromSqlText = (text: string): string =>
  text.includes("\u0001") ? text.replace(escaped, (_, digit) => (digit === "0" ? "\u0000" : "\u0001")) : text;
