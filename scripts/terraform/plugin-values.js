// Values of Terraform on the wire: MessagePack, with an extension for what is not known before `apply`.
import { decode, encode, ExtensionCodec } from "@msgpack/msgpack";

/** A value that only `apply` will tell. */
export class Unknown {
  /** @readonly */
  kind = "unknown";
}

/** The one unknown value: they are all alike. */
export const unknown = new Unknown();

// 0: unknown; 12: unknown, with what is known about it all the same, which nobody here needs.
const codec = new ExtensionCodec();
codec.register({
  type: 0,
  encode: (value) => (value instanceof Unknown ? new Uint8Array(1) : null),
  decode: () => unknown,
});
codec.register({ type: 12, encode: () => null, decode: () => unknown });

/** Any value: `null`, text, number, boolean, list, object, {@link Unknown}.
 * @typedef {null | string | number | boolean | Unknown | Value[] | { [key: string]: Value }} Value */

/** @param {{ msgpack: Buffer, json: Buffer } | null | undefined} wire @returns {Value} */
export function fromWire(wire) {
  if (wire === null || wire === undefined) return null;
  if (wire.msgpack.length > 0) return /** @type {Value} */ (decode(wire.msgpack, { extensionCodec: codec }));
  return /** @type {Value} */ (JSON.parse(wire.json.toString("utf8") || "null"));
}

/** @param {Value} value */
export function toWire(value) {
  return { msgpack: Buffer.from(encode(value, { extensionCodec: codec })) };
}

/** @param {Value | undefined} value @returns {value is { [key: string]: Value }} */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Unknown);
}

/** @param {Value | undefined} value @returns {value is Value[]} */
export function isList(value) {
  return Array.isArray(value);
}

/** @param {Value | undefined} value */
export function textOf(value) {
  return typeof value === "string" ? value : "";
}
