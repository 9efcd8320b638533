import { ScalarType, type DescField, type DescMessage } from "@bufbuild/protobuf";
import fc, { type Arbitrary } from "fast-check";

/* Bytes of protobuf messages that are nearly right: fields of the message's own, with something wrong at times. */

type Bytes = Uint8Array;

const join = (...parts: readonly Bytes[]): Bytes => Buffer.concat(parts);

/** A varint, `extra` bytes longer than it need be. */
function varint(value: bigint, extra = 0): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  for (let i = 0; i < extra; i += 1) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80;
    bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

const seldom = <T>(usual: Arbitrary<T>, odd: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

const edges = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  -(2n ** 53n),
  2n ** 63n - 1n,
  2n ** 64n - 1n,
];
const integers = fc
  .tuple(
    fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: -100n, max: 100n })),
    seldom(fc.constant(0), fc.integer({ min: 1, max: 12 })),
  )
  .map(([value, extra]) => varint(value, extra));
const badText = fc
  .constantFrom("ff", "c0af", "eda080", "f8888080", "80", "efbbbf41", "f4908080")
  .map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
const texts = seldom<Bytes>(
  fc
    .oneof(
      fc.string({ unit: "grapheme", maxLength: 6 }),
      fc.constantFrom("", "__proto__", "\0", "\u{feff}x", "{}", "\uffff"),
    )
    .map((text) => Buffer.from(text)),
  badText,
);
const doubles = fc.double().map((value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
});

/** A length before bytes; a lie at times. */
const delimited = (content: Arbitrary<Bytes>): Arbitrary<Bytes> =>
  fc
    .tuple(
      content,
      seldom(fc.constant(0n), fc.constantFrom(1n, -1n, 5n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 40n)),
      seldom(fc.constant(0), fc.constantFrom(1, 4, 9)),
    )
    .map(([bytes, lie, extra]) => join(varint(BigInt.asUintN(64, BigInt(bytes.length) + lie), extra), bytes));

function scalar(type: ScalarType): { readonly wireType: number; readonly bytes: Arbitrary<Bytes> } {
  if (type === ScalarType.STRING || type === ScalarType.BYTES) return { wireType: 2, bytes: delimited(texts) };
  if (type === ScalarType.DOUBLE) return { wireType: 1, bytes: doubles };
  return { wireType: 0, bytes: integers };
}

function valueOf(field: DescField, depth: number): { readonly wireType: number; readonly bytes: Arbitrary<Bytes> } {
  if (field.fieldKind === "map") {
    const key = scalar(field.mapKey);
    const item = scalar(field.mapKind === "scalar" ? field.scalar : ScalarType.STRING);
    const entry = fc
      .tuple(key.bytes, item.bytes, fc.boolean())
      .map(([name, value, isWhole]) =>
        join(varint(0x0an), name, ...(isWhole ? [varint(0x10n | BigInt(item.wireType)), value] : [])),
      );
    return { wireType: 2, bytes: delimited(entry) };
  }
  if (field.fieldKind === "message" || (field.fieldKind === "list" && field.listKind === "message")) {
    const { message } = field;
    return {
      wireType: 2,
      bytes: delimited(message === undefined ? fc.constant(Buffer.alloc(0)) : messageBytes(message, depth - 1)),
    };
  }
  if (field.fieldKind === "scalar" || (field.fieldKind === "list" && field.listKind === "scalar"))
    return scalar(field.scalar);
  return { wireType: 0, bytes: integers };
}

/** A field that the message does not have, also groups and groups that do not end. */
const unknownField = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(0n, 99n, 536870911n, 536870912n),
      fc.constantFrom(0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n),
      fc.uint8Array({ maxLength: 9 }),
    )
    .map(([number, wireType, rest]) => join(varint((number << 3n) | wireType), rest)),
  fc
    .oneof(fc.integer({ min: 1, max: 90 }), fc.constant(300))
    .map((depth) =>
      Buffer.concat([
        ...Array.from({ length: depth }, () => varint((99n << 3n) | 3n)),
        ...Array.from({ length: depth }, () => varint((99n << 3n) | 4n)),
      ]),
    ),
);

/** Bytes of a message, nearly. */
export function messageBytes(schema: DescMessage, depth = 3): Arbitrary<Bytes> {
  const known = schema.fields.filter((field) => depth > 0 || field.fieldKind === "scalar");
  const fields = known.map((field) => {
    const { wireType, bytes } = valueOf(field, depth);
    return fc
      .tuple(seldom(fc.constant(wireType), fc.integer({ min: 0, max: 7 })), bytes)
      .map(([type, value]) => join(varint((BigInt(field.number) << 3n) | BigInt(type)), value));
  });
  const field = fields.length === 0 ? unknownField : seldom(fc.oneof(...fields), unknownField);
  return fc.array(field, { maxLength: 6 }).map((parts) => join(...parts));
}

/** Bytes as they are, cut, or with a byte changed. */
export const damaged = (bytes: Arbitrary<Bytes>): Arbitrary<Bytes> =>
  fc.oneof(
    { weight: 6, arbitrary: bytes },
    {
      weight: 1,
      arbitrary: fc.tuple(bytes, fc.nat(64)).map(([whole, at]) => whole.subarray(0, at % (whole.length + 1))),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(bytes, fc.nat(64), fc.nat(255)).map(([whole, at, byte]) => {
        const copy = Buffer.from(whole);
        if (copy.length > 0) copy[at % copy.length] = byte;
        return copy;
      }),
    },
  );
