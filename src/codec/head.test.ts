import { describe, expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { decodeHead, encodeHead } from "./head.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Why these bytes are no head, or the head. */
function read(head: Uint8Array): unknown {
  try {
    return decodeHead(head, 3, "~/run/r", ["run"]);
  } catch (error) {
    if (!(error instanceof TapeError) || !error.message.includes("row ~/run/r")) throw error;
    return error.reason;
  }
}

describe("the head of a row", () => {
  it.each([1, 2, 3])("of format %i is read by a version that knows 3", (format) => {
    const head = { format, kind: "run", name: "ü€🎲" };
    expect(read(encodeHead(JSON.stringify(head)))).toEqual(head);
  });

  it.each([
    ["a newer format", bytes('{"format":4}'), "FORMAT_NEWER"],
    ["no bytes", bytes(""), "STORE_CORRUPT"],
    ["a text that is cut short", bytes('{"format":1,"a":"'), "STORE_CORRUPT"],
    ["bytes that are no UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "STORE_CORRUPT"],
    ["no format", bytes("{}"), "STORE_CORRUPT"],
    ["a format that is no number", bytes('{"format":"1"}'), "STORE_CORRUPT"],
    ["another kind", bytes('{"format":1,"kind":"task"}'), "STORE_CORRUPT"],
    ["no kind", bytes('{"format":1}'), "STORE_CORRUPT"],
    ["a format before the first", bytes('{"format":0,"kind":"run"}'), "STORE_CORRUPT"],
    ["something else", bytes("null"), "STORE_CORRUPT"],
    ["a list", bytes("[1]"), "STORE_CORRUPT"],
  ])("with %s is refused, naming the row", (_what, head, reason) => {
    expect(read(head)).toBe(reason);
  });
});
