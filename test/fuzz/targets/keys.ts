import fc from "fast-check";
import { indexName, partitionOf, runRow, sessionRow, valueRow } from "../../../src/codec/row-id.ts";
import { subjectSegment } from "../../../src/codec/segment.ts";
import { Keys } from "../../../src/store/bigtable/keys.ts";
import type { RowId } from "../../../src/model/row.ts";
import { pure, wrong, type Target } from "../target.ts";

/** Two lists of names, and two keys. */
interface Input {
  readonly left: readonly string[];
  readonly right: readonly string[];
  readonly keys: readonly [string, string];
}

/** Names chosen to collide. */
const hostileName: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "a",
        "b",
        "/",
        "~",
        "%",
        "%2F",
        "%7E",
        "_",
        "#",
        "$",
        "$#",
        " ",
        "!",
        ".",
        "..",
        "\0",
        "\u{ffff}",
        "\u{feff}",
        "é",
        "e\u{301}",
        "A",
        "K",
        "\u{212a}",
        "ß",
        "\u{10ffff}",
        "\x7f",
        "0",
      ),
      fc.string({ unit: "grapheme", maxLength: 2 }),
    ),
    { maxLength: 4 },
  )
  .chain((parts) => fc.constantFrom(1, 1, 1, 1, 40).map((times) => parts.join("").repeat(times).slice(0, 500)))
  .filter((name) => name.isWellFormed());

/** Printable ASCII, as all keys are. */
const key = fc
  .array(fc.constantFrom(" ", "!", '"', "#", "$", "%", "&", "/", "0", "~", "a", "z"), { maxLength: 5 })
  .map((parts) => parts.join(""));

/** What makes keys of names. */
export interface KeyMakers {
  /** Several names as one key. */
  readonly join: Readonly<Record<string, (names: readonly string[]) => string>>;
  /** A store's form of index and key, of which the order is that of the keys. */
  readonly ordered: (index: string, key: string) => string;
}

const same = (left: readonly string[], right: readonly string[]): boolean =>
  JSON.stringify(left) === JSON.stringify(right);

/** Different names never have one key, keys reach into no others, and their order stays. */
export const checkKeys =
  ({ join, ordered }: KeyMakers) =>
  ({ left, right, keys: [one, other] }: Input): string => {
    for (const [name, make] of Object.entries(join)) {
      const [a, b] = [make(left), make(right)];
      if (!/^[\x20-\x7e]*$/.test(a)) wrong(`${name}: a key is not printable ASCII`);
      if (a.length > 1024 && isBounded.has(name)) wrong(`${name}: a key of ${a.length} bytes`);
      if (same(left, right) !== (a === b))
        wrong(`${name}: ${same(left, right) ? "one thing has two keys" : "two things have one key"}`);
      if (left.length < right.length && !same(left, right.slice(0, left.length)) && b.startsWith(`${a}/`)) {
        wrong(`${name}: a key lies within another's`);
      }
    }
    const [x, y] = [ordered("i", one), ordered("i", other)];
    if (Math.sign(compare(x, y)) !== Math.sign(compare(one, other))) wrong("a store does not keep the order of keys");
    return same(left, right) ? "the same" : left.join("/") === right.join("/") ? "the same when joined" : "different";
  };

/** Keys that a store takes; a subject is no key. */
const isBounded: ReadonlySet<string> = new Set(["index", "row", "value"]);

const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const bigtable = new Keys("");
const partition = partitionOf("");

/** The ways of Tape and its stores. */
export const keyMakers: KeyMakers = {
  join: {
    index: (names) => indexName(partition, ...names),
    subject: (names) => names.map(subjectSegment).join("/"),
    bigtable: (names) => bigtable.indexItem("0", indexName(partition, ...names), "k", runRow(partition, "r")),
    row: (names) => sessionRow(partition, names[0] ?? "", names[1] ?? "", JSON.stringify(names)),
    value: (names) => valueRow(partitionOf(names[0] ?? ""), "n", JSON.stringify(names)),
  },
  ordered: (index, text) => bigtable.indexItem("0", index, text, "r" as RowId),
};

const names = fc.array(hostileName, { minLength: 1, maxLength: 3 });

const alike: readonly ((name: string) => string)[] = [
  (name) => name.normalize("NFC"),
  (name) => name.normalize("NFD"),
  (name) => name.normalize("NFKC"),
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.trim(),
  (name) => `${name}/`,
  (name) => `${name}\0`,
  (name) => encodeURIComponent(name),
  (name) => name.replaceAll("/", "%2F"),
];

/** Keys of rows, indexes and subjects. */
export const keys: Target<Input> = {
  name: "keys",
  inputs: fc
    .record({
      left: names,
      right: names,
      keys: fc.tuple(key, key),
    })
    .chain((input) =>
      fc.oneof(
        fc.constant(input),
        // The same characters, divided elsewhere.
        fc.nat(20).map((at) => {
          const text = input.left.join("/");
          return { ...input, right: [text.slice(0, at), text.slice(at)].filter((part) => part.isWellFormed()) };
        }),
        fc.constant({ ...input, right: input.left }),
        // What a careless key takes for the same.
        fc.constantFrom(...alike).map((change) => ({ ...input, right: input.left.map(change) })),
      ),
    ),
  open: pure(checkKeys(keyMakers)),
};
