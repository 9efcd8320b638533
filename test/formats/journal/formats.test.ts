import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeBody, encodeBody } from "../../../src/codec/body.ts";
import { encodeHead } from "../../../src/codec/head.ts";
import type { PastEntry } from "../../../src/journal/row.ts";
import { openers, type Open, type StoredText } from "./seen.ts";

interface Fixture extends StoredText {
  readonly open: Open;
  readonly seen: readonly string[];
}

const read = (name: string): string => readFileSync(join(import.meta.dirname, name), "utf8");

function parse(text: string): Fixture {
  const [, row = "", head = "", entries = "", seen = ""] =
    /^row: (\S+)\nhead: (.*)\nentries:\n([^]*?)seen:\n([^]*)$/.exec(text) ?? [];
  const open = openers[row];
  if (open === undefined) throw new Error(`no kind of row: ${row}`);
  const found = Array.from(entries.matchAll(/^ {2}(\d+) (\d+) (\S+) (.*)\n {4}(.*)$/gm), (match): PastEntry => {
    const [, seq = "", at = "", kind = "", ref = "", meta = ""] = match;
    return { seq: Number(seq), at: Number(at), kind, ref, meta };
  });
  return {
    open,
    head,
    entries: found,
    seen: seen
      .trimEnd()
      .split("\n")
      .map((line) => line.trimStart()),
  };
}

const rows = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".txt") && !name.startsWith("body"));

/** The format number in a fixture's name. */
const formatIn = (name: string): number => Number(/-(\d+)[-.]/.exec(name)?.[1]);
const kindIn = (name: string): string => name.slice(0, name.search(/-\d/));
const isNewest = (name: string): boolean =>
  rows.every((other) => kindIn(other) !== kindIn(name) || formatIn(other) <= formatIn(name));

describe.each(rows)("the stored row %s", (name) => {
  const { open, head, entries, seen } = parse(read(name));

  it("opens as what it was", () => {
    expect(open(encodeHead(head), entries).seen).toEqual(seen);
  });

  it.runIf(isNewest(name))("is stored by this version as it is read: another shape needs a new format number", () => {
    expect(open(encodeHead(head), entries).head).toBe(head);
  });

  it("is refused when it is damaged or of a newer format, never misread", () => {
    expect(() => open(encodeHead(head.slice(0, -1)), entries)).toThrow("head of row row cannot be read");
    expect(() => open(encodeHead(head.replace(/"format":\d+/, '"format":99')), entries)).toThrow("upgrade Tape");
  });
});

describe("the stored bodies of body-1.txt", () => {
  const lines = read("body-1.txt").trim().split("\n");
  const bodies = lines.flatMap((hex, i) => (i % 2 === 0 ? [[hex, lines[i + 1] ?? ""] as const] : []));

  it.each(bodies)("%s", (hex, texts) => {
    expect(decodeBody(Buffer.from(hex, "hex"), "entry")).toEqual(JSON.parse(texts));
    expect(Buffer.from(encodeBody(JSON.parse(texts) as string[])).toString("hex")).toBe(hex);
  });
});
