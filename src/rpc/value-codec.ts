import { ScalarType, type DescEnum } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { TapeError } from "../errors.ts";
import type { NounReader, NounWriter } from "./noun-bytes.ts";

/**
 * How one value stands in a noun, in a generated message and in bytes. Values that a type system could not vouch for
 * (they come from a network or from plain JavaScript) are checked here: a wrong one is ARGUMENT_INVALID naming `field`.
 */
export interface ValueCodec {
  /** What an absent field reads as; `undefined` when the noun lacks it too. */
  readonly zero: unknown;
  readonly wireType: WireType;
  toNoun(value: unknown, field: string): unknown;
  toMessage(value: unknown, field: string): unknown;
  /** `earlier` is what the same field gave before: sub-messages merge, other values are replaced. */
  read(reader: NounReader, field: string, earlier: unknown): unknown;
  write(writer: NounWriter, value: unknown, field: string): unknown;
}

const string: ValueCodec = {
  zero: "",
  wireType: WireType.LengthDelimited,
  toNoun: checkString,
  toMessage: checkString,
  read: (reader) => reader.string(),
  write: (writer, value, field) => writer.text(checkString(value, field)),
};

const bool: ValueCodec = {
  zero: false,
  wireType: WireType.Varint,
  toNoun: checkBool,
  toMessage: checkBool,
  read: (reader) => reader.bool(),
  write: (writer, value, field) => writer.integer(checkBool(value, field) ? 1 : 0),
};

const double: ValueCodec = {
  zero: 0,
  wireType: WireType.Bit64,
  toNoun: checkNumber,
  toMessage: checkNumber,
  read: (reader) => reader.double(),
  write: (writer, value, field) => writer.double(checkNumber(value, field)),
};

const int32: ValueCodec = {
  zero: 0,
  wireType: WireType.Varint,
  toNoun: checkInt32,
  toMessage: checkInt32,
  read: (reader) => reader.int32(),
  write: (writer, value, field) => writer.integer(checkInt32(value, field)),
};

const int64: ValueCodec = {
  zero: 0,
  wireType: WireType.Varint,
  toNoun: (value, field) => checkInteger(Number(value), field),
  toMessage: (value, field) => BigInt(checkInteger(value, field)),
  read: (reader, field) => checkInteger(reader.integer(), field),
  write: (writer, value, field) => writer.integer(checkInteger(value, field)),
};

const scalarCodecs: ReadonlyMap<ScalarType, ValueCodec> = new Map([
  [ScalarType.STRING, string],
  [ScalarType.BOOL, bool],
  [ScalarType.DOUBLE, double],
  [ScalarType.INT32, int32],
  [ScalarType.INT64, int64],
]);

/** The codec of a scalar type. The contract uses five of them; any other is a defect of the caller. */
export function scalarCodec(type: ScalarType): ValueCodec {
  const codec = scalarCodecs.get(type);
  if (codec === undefined) {
    throw new TapeError("INTERNAL", `no codec for the scalar type ${ScalarType[type]}`);
  }
  return codec;
}

/** The codec of an enum: nouns hold value names without the prefix. A number or name outside the enum is refused (R5). */
export function enumCodec(type: DescEnum): ValueCodec {
  const names = new Map(type.values.map((value) => [value.number, value.localName]));
  const numbers = new Map(type.values.map((value) => [value.localName, value.number]));
  const toNoun = (value: unknown, field: string): string => {
    return names.get(checkNumber(value, field)) ?? refuse(field, `${String(value)} is no ${type.name}`);
  };
  const toMessage = (value: unknown, field: string): number => {
    return numbers.get(checkString(value, field)) ?? refuse(field, `${String(value)} is no ${type.name}`);
  };
  return {
    zero: type.values[0]?.localName,
    wireType: WireType.Varint,
    toNoun,
    toMessage,
    read: (reader, field) => toNoun(reader.int32(), field),
    write: (writer, value, field) => writer.integer(toMessage(value, field)),
  };
}

/** Refuses the value of a field. */
export function refuse(field: string, fault: string): never {
  throw new TapeError("ARGUMENT_INVALID", `${field}: ${fault}`, { ids: { field } });
}

function checkString(value: unknown, field: string): string {
  if (typeof value !== "string") return refuse(field, "must be a string");
  // Half a surrogate pair has no UTF-8: sent as it is, two different names would become one.
  return value.isWellFormed() ? value : refuse(field, "is not well-formed Unicode");
}

function checkBool(value: unknown, field: string): boolean {
  return typeof value === "boolean" ? value : refuse(field, "must be true or false");
}

function checkNumber(value: unknown, field: string): number {
  return typeof value === "number" ? value : refuse(field, "must be a number");
}

function checkInteger(value: unknown, field: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  return refuse(field, "must be an integer between -(2^53 - 1) and 2^53 - 1");
}

function checkInt32(value: unknown, field: string): number {
  if (typeof value === "number" && (value | 0) === value) return value;
  return refuse(field, "must be an integer between -2^31 and 2^31 - 1");
}
