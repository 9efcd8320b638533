import { ScalarType, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";
import { TapeError } from "../errors.ts";
import { NounReader, NounWriter } from "./noun-bytes.ts";
import { enumCodec, refuse, scalarCodec, type ValueCodec } from "./value-codec.ts";

/**
 * Carries the nouns of one message type between their three forms. Nouns are the objects of `src/model`: camelCase
 * names, int64 as number, enums as names without prefix, maps as records. A field that a noun lacks, or that is
 * `undefined`, has its zero value. All functions throw ARGUMENT_INVALID for what does not fit the contract.
 */
export interface NounCodec<Noun> {
  readonly schema: DescMessage;
  toNoun(message: Message): Noun;
  toMessage(noun: Noun): Message;
  /** From the binary format, without a generated message in between. */
  decode(bytes: Uint8Array): Noun;
  /**
   * To the binary format, without a generated message in between. The bytes share memory with those of other calls:
   * they may be kept, but not transferred to another thread.
   */
  encode(noun: Noun): Uint8Array;
}

/** Compiles the codec of a message type: what its descriptor says is looked up once, not per call. */
export function nounCodec<Noun extends object>(schema: DescMessage): NounCodec<Noun> {
  const codec = messageCodec(schema);
  const writer = new NounWriter();
  return {
    schema,
    // The assertions are the one place where untyped fields become typed. `rpc-methods.test.ts` checks that every noun
    // has the fields of its message.
    toNoun: (message) => codec.toNoun(message, schema.name) as Noun,
    toMessage: (noun) => codec.toMessage(noun, schema.name) as Message,
    decode(bytes) {
      try {
        return codec.readFields(new NounReader(bytes), bytes.length) as Noun;
      } catch (cause) {
        if (cause instanceof TapeError) throw cause;
        throw new TapeError("ARGUMENT_INVALID", `the bytes are no ${schema.name}`, { cause });
      }
    },
    encode(noun) {
      codec.writeFields(writer.restart(), noun, schema.name);
      return writer.finish();
    },
  };
}

type Fields = Record<string, unknown>;

/** The {@link ValueCodec} of a whole field: knows its name and its tag, and repeats what is repeated. */
interface FieldCodec {
  /** The name in nouns and generated messages. */
  readonly key: string;
  /** The name in the contract, and so in errors. */
  readonly name: string;
  readonly number: number;
  readonly required: boolean;
  readonly zero: unknown;
  readonly wireType: WireType;
  toNoun(value: unknown): unknown;
  toMessage(value: unknown): unknown;
  read(reader: NounReader, earlier: unknown): unknown;
  /** Items of a packed list may also come one by one. */
  readonly unpacked?: { readonly wireType: WireType; read(reader: NounReader, earlier: unknown): unknown };
  write(writer: NounWriter, value: unknown): unknown;
}

interface MessageCodec extends ValueCodec {
  readFields(reader: NounReader, end: number, earlier?: unknown): Fields;
  writeFields(writer: NounWriter, noun: unknown, name: string): void;
}

function messageCodec(schema: DescMessage): MessageCodec {
  const fields = schema.fields.map(fieldCodec);
  const byNumber = new Map(fields.map((field) => [field.number, field]));
  const required = fields.filter((field) => field.required);
  // All nouns of a type start as a copy of this one, so that they share one hidden class.
  const zero = Object.fromEntries(
    fields.filter((field) => field.zero !== undefined).map((field) => [field.key, field.zero]),
  );

  function checkRequired(noun: Fields): Fields {
    for (const field of required) {
      if (noun[field.key] === undefined) refuse(field.name, "is missing");
    }
    return noun;
  }

  function readFields(reader: NounReader, end: number, earlier?: unknown): Fields {
    const noun: Fields = { ...(earlier ?? zero) };
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const field = byNumber.get(number);
      if (field === undefined) reader.skip(wireType, number);
      else if (wireType === field.wireType) noun[field.key] = field.read(reader, noun[field.key]);
      else if (wireType === field.unpacked?.wireType) noun[field.key] = field.unpacked.read(reader, noun[field.key]);
      else refuse(field.name, `has wire type ${wireType} instead of ${field.wireType}`);
    }
    if (reader.pos !== end) refuse(schema.name, "is cut short");
    return checkRequired(noun);
  }

  function writeFields(writer: NounWriter, noun: unknown, name: string): void {
    const values = checkFields(noun, name);
    for (const field of fields) {
      const value = values[field.key];
      if (value !== undefined && value !== field.zero) field.write(writer, value);
    }
  }

  return {
    zero: undefined,
    wireType: WireType.LengthDelimited,
    readFields,
    writeFields,
    toNoun(message, name) {
      const values = checkFields(message, name);
      const noun: Fields = { ...zero };
      for (const field of fields) {
        const value = values[field.key];
        if (value !== undefined) noun[field.key] = field.toNoun(value);
      }
      return checkRequired(noun);
    },
    toMessage(noun, name) {
      const values = checkFields(noun, name);
      const message: Fields = { $typeName: schema.typeName };
      for (const field of fields) {
        const value = values[field.key];
        if (value !== undefined) message[field.key] = field.toMessage(value);
        else if (field.zero !== undefined) message[field.key] = field.toMessage(field.zero);
      }
      return message;
    },
    read: (reader, _field, earlier) => readFields(reader, reader.end(), earlier),
    write(writer, value, field) {
      const start = writer.begin();
      writeFields(writer, value, field);
      writer.end(start);
    },
  };
}

function fieldCodec(field: DescField): FieldCodec {
  switch (field.fieldKind) {
    case "scalar":
      return singularField(field, scalarCodec(field.scalar));
    case "enum":
      return singularField(field, enumCodec(field.enum));
    case "message":
      return singularField(field, messageCodec(field.message));
    case "list":
      return field.listKind === "enum"
        ? packedField(field, enumCodec(field.enum))
        : listField(field, field.listKind === "message" ? messageCodec(field.message) : listedText(field));
    case "map":
      if (field.mapKind !== "scalar" || field.mapKey !== ScalarType.STRING) return noCodec(field);
      return mapField(field, scalarCodec(field.scalar));
  }
}

/** Lists hold messages, enums and strings only in this contract. */
function listedText(field: DescField): ValueCodec {
  return field.scalar === ScalarType.STRING ? scalarCodec(field.scalar) : noCodec(field);
}

function noCodec(field: DescField): never {
  throw new TapeError("INTERNAL", `no codec for ${field.toString()}`);
}

/** Records that may be absent although no `found` says so: which of them an item has depends on its kind. */
const optionalRecords: ReadonlySet<string> = new Set(["AttentionItem.effect", "AttentionItem.obligation"]);

function singularField(field: DescField, codec: ValueCodec): FieldCodec {
  const { name, number, localName: key } = field;
  const tag = tagOf(number, codec.wireType);
  // A lookup that says `found` may come without its record; nearly every other record must be there.
  const optional =
    field.parent.fields.some((other) => other.name === "found") ||
    optionalRecords.has(`${field.parent.name}.${field.name}`);
  return {
    key,
    name,
    number,
    required: field.fieldKind === "message" && !optional,
    zero: codec.zero,
    wireType: codec.wireType,
    toNoun: (value) => codec.toNoun(value, name),
    toMessage: (value) => codec.toMessage(value, name),
    read: (reader, earlier) => codec.read(reader, name, earlier),
    write: (writer, value) => codec.write(writer.integer(tag), value, name),
  };
}

function listField(field: DescField, element: ValueCodec): FieldCodec {
  const { name, number, localName: key } = field;
  const tag = tagOf(number, element.wireType);
  const zero: readonly unknown[] = Object.freeze([]);
  return {
    key,
    name,
    number,
    required: false,
    zero,
    wireType: element.wireType,
    toNoun: (value) => checkList(value, name).map((item) => element.toNoun(item, name)),
    toMessage: (value) => checkList(value, name).map((item) => element.toMessage(item, name)),
    read(reader, earlier) {
      const list = earlier === zero ? [] : checkList(earlier, name);
      list.push(element.read(reader, name, undefined));
      return list;
    },
    write(writer, value) {
      for (const item of checkList(value, name)) element.write(writer.integer(tag), item, name);
    },
  };
}

/** A list of numbers, which travel together behind one tag. */
function packedField(field: DescField, element: ValueCodec): FieldCodec {
  const { name, number } = field;
  const list = listField(field, element);
  const tag = tagOf(number, WireType.LengthDelimited);
  return {
    ...list,
    wireType: WireType.LengthDelimited,
    unpacked: list,
    read(reader, earlier) {
      let items = earlier;
      const end = reader.end();
      while (reader.pos < end) items = list.read(reader, items);
      return reader.pos === end ? items : refuse(name, "is cut short");
    },
    write(writer, value) {
      const begun = writer.integer(tag).begin();
      for (const item of checkList(value, name)) element.write(writer, item, name);
      writer.end(begun);
    },
  };
}

/** What a map entry has besides key and value must be whole, too. */
function skipPart(reader: NounReader, wireType: WireType, part: number, name: string): void {
  try {
    reader.skip(wireType, part);
  } catch {
    refuse(name, "is cut short, or has a part of an unknown kind");
  }
}

function mapField(field: DescField, element: ValueCodec): FieldCodec {
  const { name, number, localName: key } = field;
  const tag = tagOf(number, WireType.LengthDelimited);
  const text = scalarCodec(ScalarType.STRING);
  const keyTag = tagOf(1, text.wireType);
  const valueTag = tagOf(2, element.wireType);
  const zero: Fields = Object.freeze({});
  return {
    key,
    name,
    number,
    required: false,
    zero,
    wireType: WireType.LengthDelimited,
    toNoun: (value) => mapValues(checkFields(value, name), (item) => element.toNoun(item, name)),
    toMessage: (value) => mapValues(checkFields(value, name), (item) => element.toMessage(item, name)),
    read(reader, earlier) {
      const map = earlier === zero ? {} : checkFields(earlier, name);
      const end = reader.end();
      let [entryKey, value] = [text.zero, element.zero];
      while (reader.pos < end) {
        const [part, wireType] = reader.tag();
        if (part === 1 && wireType === text.wireType) entryKey = text.read(reader, name, undefined);
        else if (part === 2 && wireType === element.wireType) value = element.read(reader, name, undefined);
        else skipPart(reader, wireType, part, name);
      }
      if (reader.pos !== end) refuse(name, "is cut short");
      return put(map, String(entryKey), value);
    },
    write(writer, value) {
      for (const [entryKey, item] of Object.entries(checkFields(value, name))) {
        const start = writer.integer(tag).begin();
        text.write(writer.integer(keyTag), entryKey, name);
        element.write(writer.integer(valueTag), item, name);
        writer.end(start);
      }
    },
  };
}

function tagOf(number: number, wireType: WireType): number {
  return (number << 3) | wireType;
}

function mapValues(fields: Fields, change: (value: unknown) => unknown): Fields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, change(value)]));
}

/** Plain assignment would lose the key `__proto__`, which is a label like any other. */
function put(fields: Fields, key: string, value: unknown): Fields {
  if (key !== "__proto__") fields[key] = value;
  else Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true });
  return fields;
}

function checkFields(value: unknown, field: string): Fields {
  return isFields(value) ? value : refuse(field, "must be an object");
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function checkList(value: unknown, field: string): unknown[] {
  return Array.isArray(value) ? value : refuse(field, "must be a list");
}
