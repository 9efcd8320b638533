import { isDeepStrictEqual } from "node:util";
import { fromBinary, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { configureTextEncoding } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { TapeError } from "../../../src/errors.ts";
import type { NounCodec } from "../../../src/rpc/noun-codec.ts";
import { rpcMethods, type RpcMethod } from "../../../src/rpc/rpc-methods.ts";
import { refusalOf, wrong, type Target } from "../target.ts";
import { damaged, messageBytes } from "../wire-bytes.ts";

/** Which message, and its bytes in hex. */
interface Input {
  readonly method: string;
  readonly part: "request" | "response";
  readonly bytes: string;
}

const methods = Object.values<RpcMethod>(rpcMethods);
const parts = ["request", "response"] as const;

/** The codec of a message; any noun will do. */
type AnyCodec = Pick<NounCodec<object>, "decode" | "encode" | "toNoun" | "schema">;

const refused = Symbol("refused");

function libraryNoun(codec: AnyCodec, bytes: Uint8Array): unknown {
  try {
    return codec.toNoun(fromBinary(codec.schema, bytes));
  } catch {
    return refused;
  }
}

/**
 * Where Tape refuses more than the library does: the library reads a field by what it should be, whatever its tag says it
 * is, reads on behind the end of a part that was announced shorter than it is, reads no value of a part of a map entry that it does not
 * know, and forgets a value out of range when the field comes again.
 */
function isStricter(schema: DescMessage, message: string, bytes: Uint8Array): boolean {
  if (/has wire type|is cut short/.test(message)) return true;
  if (!/must be an integer|is no /.test(message)) return false;
  const name = message.slice(0, message.indexOf(":"));
  const numbers = fieldsOf(schema).flatMap((field) => (field.name === name ? [field.number] : []));
  // The first byte of a tag has no more than the lower four bits of the number.
  return numbers.some((number) => bytes.filter((byte) => ((byte >> 3) & 15) === (number & 15)).length > 1);
}

const fieldsOf = ({ fields }: DescMessage): readonly DescField[] =>
  fields.flatMap((field) => (field.message === undefined ? [field] : [field, ...fieldsOf(field.message)]));

/** Tries a decoder against that of the protobuf library. */
export function checkDecoder(codec: AnyCodec, bytes: Uint8Array): string {
  const expected = libraryNoun(codec, bytes);
  let noun: object;
  try {
    noun = codec.decode(bytes);
  } catch (error) {
    if (!(error instanceof TapeError)) wrong(`an error that is no TapeError: ${String(error)}`);
    const { message } = refusalOf(error, "ARGUMENT_INVALID");
    if (expected !== refused && !isStricter(codec.schema, message, bytes))
      wrong(`refused what the library takes: ${message}`);
    return `refused: ${message.replace(/^[a-z_]+: |[A-Z][A-Za-z]+|-?\d+/g, "").trim()}`;
  }
  if (expected === refused) wrong("taken, though the library refuses it");
  if (!isDeepStrictEqual(codec.decode(codec.encode(noun)), noun)) wrong("written as something else than was read");
  // The library loses a label of this name, Tape does not.
  if (Buffer.from(bytes).includes("__proto__")) return "taken, by Tape alone";
  if (!isDeepStrictEqual(noun, expected)) wrong("read as something else than the library reads");
  if (!isDeepStrictEqual(libraryNoun(codec, codec.encode(noun)), noun))
    wrong("the library reads something else than was written");
  return "taken";
}

/** As the server does, which takes a byte order mark for a character. */
function readTextExactly(): void {
  const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  configureTextEncoding({
    checkUtf8: (text) => text.isWellFormed(),
    encodeUtf8: (text) => new TextEncoder().encode(text),
    decodeUtf8: (bytes) => strict.decode(bytes),
  });
}

/** The decoder of messages: the same as the protobuf library, or ARGUMENT_INVALID. */
export const decoder: Target<Input> = {
  name: "decoder",
  inputs: fc.tuple(fc.constantFrom(...methods), fc.constantFrom(...parts)).chain(([method, part]) =>
    damaged(messageBytes(method[part].schema)).map((bytes) => ({
      method: method.name,
      part,
      bytes: Buffer.from(bytes).toString("hex"),
    })),
  ),
  open() {
    readTextExactly();
    return Promise.resolve({
      check({ method, part, bytes }) {
        const found = methods.find(({ name }) => name === method) ?? wrong(`there is no method ${method}`);
        return checkDecoder(found[part] as unknown as AnyCodec, Buffer.from(bytes, "hex"));
      },
      close: () => Promise.resolve(),
    });
  },
};
