// As much of RFC 9113 and RFC 7541 as it takes to misbehave: no client library sends what is sent here.

/** The first bytes of every HTTP/2 connection. */
export const preface: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

const frameTypes = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** Flags of frames; END_STREAM and ACK have the same bit. */
export const flags = { endStream: 0x1, ack: 0x1, endHeaders: 0x4 } as const;

/** One frame. */
export function frame(type: keyof typeof frameTypes, flag: number, streamId: number, payload?: Uint8Array): Buffer {
  const body = payload ?? new Uint8Array(0);
  const bytes = Buffer.alloc(9 + body.length);
  bytes.writeUIntBE(body.length, 0, 3);
  bytes[3] = frameTypes[type];
  bytes[4] = flag;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(body, 9);
  return bytes;
}

/** Preface and empty SETTINGS: what makes a connection complete. */
export const greeting: Buffer = Buffer.concat([preface, frame("settings", 0, 0)]);

/** Headers as literals that are not indexed, without Huffman codes. */
export function headerBlock(headers: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]);
  return Buffer.concat(parts);
}

/** The headers of a gRPC call, with a credential. */
export const callHeaders = (path: string, token: string): Readonly<Record<string, string>> => ({
  ":method": "POST",
  ":scheme": "http",
  ":path": path,
  ":authority": "tape",
  "content-type": "application/grpc",
  te: "trailers",
  authorization: `Bearer ${token}`,
});

/** RFC 7541, 5.1 and 5.2: a length in seven bits, or more of them. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length: number[] = [];
  let rest = bytes.length;
  if (rest < 127) length.push(rest);
  else {
    length.push(127);
    rest -= 127;
    for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** Finds in received bytes why a peer said goodbye: the code of its GOAWAY; `undefined`: there is none. */
export function goawayCode(received: Uint8Array): number | undefined {
  const bytes = Buffer.from(received);
  for (let at = 0; at + 9 <= bytes.length;) {
    const length = bytes.readUIntBE(at, 3);
    if (bytes[at + 3] === frameTypes.goaway && at + 17 <= bytes.length) return bytes.readUInt32BE(at + 13);
    at += 9 + length;
  }
  return undefined;
}
