import { Buffer } from "node:buffer";

/**
 * The message that opens a connection to AlloyDB's connector port, before the PostgreSQL protocol: who connects, and how
 * the database user will log in. Source: google.cloud.alloydb.connectors.v1 (`resources.proto`).
 */
export interface MetadataRequest {
  readonly userAgent: string;
  /** `native`: by password; `iam`: as the principal whom the token belongs to. */
  readonly authType: "native" | "iam";
  /** An OAuth 2.0 access token; needed for both. */
  readonly token: string;
}

/** What the connector port answers. */
export interface MetadataResponse {
  readonly ok: boolean;
  /** Why not; empty when `ok`. */
  readonly error: string;
}

const authTypes = { native: 1, iam: 2 } as const;
const responseOk = 1;
const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const lengthBytes = 4;
/** The public connectors reserve as much; more means that something else is listening. */
const longestAnswer = 16 * 1024;

/** The request as it goes over the wire: its length in four bytes, then the protobuf message. */
export function encodeRequest(request: MetadataRequest): Buffer {
  const message = Buffer.concat([
    textField(1, request.userAgent),
    Buffer.from([(2 << 3) | wire.varint, authTypes[request.authType]]),
    textField(3, request.token),
  ]);
  const length = Buffer.alloc(lengthBytes);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}

/**
 * Takes the answer from the front of what has arrived, with the rest that belongs to the PostgreSQL protocol.
 * `undefined`: not all of it is here yet; `malformed`: this is no answer of a connector port.
 */
export function takeResponse(
  seen: Buffer,
): { readonly response: MetadataResponse; readonly rest: Buffer } | "malformed" | undefined {
  if (seen.length < lengthBytes) return undefined;
  const length = seen.readUInt32BE();
  if (length > longestAnswer) return "malformed";
  const end = lengthBytes + length;
  if (seen.length < end) return undefined;
  const response = decodeResponse(seen.subarray(lengthBytes, end));
  return response === undefined ? "malformed" : { response, rest: seen.subarray(end) };
}

function decodeResponse(message: Buffer): MetadataResponse | undefined {
  let code = 0;
  let error = "";
  let at = 0;
  const varint = (): number => {
    let value = 0;
    // Ten bytes are the longest varint; those above 2^53 lose digits, and none of ours is that large.
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) return Number.NaN;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < message.length) {
    const tag = varint();
    const field = Math.floor(tag / 8);
    const kind = tag % 8;
    if (kind === wire.varint) {
      const value = varint();
      if (Number.isNaN(value)) return undefined;
      if (field === 1) code = value;
    } else if (kind === wire.bytes) {
      const end = varint() + at;
      if (!(end <= message.length)) return undefined;
      if (field === 2) error = message.toString("utf8", at, end);
      at = end;
    } else if (kind === wire.fixed32 || kind === wire.fixed64) {
      at += kind === wire.fixed32 ? 4 : 8;
    } else return undefined;
  }
  return at === message.length ? { ok: code === responseOk, error } : undefined;
}

function textField(field: number, text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const header = [(field << 3) | wire.bytes];
  let length = bytes.length;
  for (; length >= 0x80; length >>>= 7) header.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...header, length]), bytes]);
}
