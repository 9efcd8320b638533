import { createServer, type AddressInfo, type Socket } from "node:net";

/** A server that claims to be of another version, and speaks just enough of the protocol to be asked for it. */
export interface OldServer {
  readonly port: number;
  close(): Promise<void>;
}

const sslRequest = 80_877_103;
/** Object id of `text`. */
const textType = 25;

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.from(`${value}\0`);

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

/** Answers every query with one row of one column, the version's number: `120020` for 12.20. */
export async function startOldServer(versionNumber: string): Promise<OldServer> {
  const version = `${Math.floor(Number(versionNumber) / 10_000)}.${Number(versionNumber) % 10_000}`;
  const ready = message("Z", Buffer.from("I"));
  const welcome = [message("R", int32(0)), message("S", text("server_version"), text(version)), ready];
  const columns = message(
    "T",
    int16(1),
    text("server_version_num"),
    int32(0),
    int16(0),
    int32(textType),
    int16(-1),
    int32(-1),
    int16(0),
  );
  const value = Buffer.from(versionNumber);
  const result = [message("D", int16(1), int32(value.length), value), message("C", text("SELECT 1"))];
  const replies: Readonly<Record<string, readonly Buffer[]>> = {
    Q: [columns, ...result, ready],
    P: [message("1")],
    B: [message("2")],
    D: [columns],
    E: result,
    S: [ready],
  };

  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    // Whoever has read the version may leave without a word.
    socket.on("error", () => undefined);
    let started = false;
    let unread = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      for (;;) {
        // Before the session begins, messages have no type.
        const typeBytes = started ? 1 : 0;
        if (unread.length < typeBytes + 4) return;
        const length = typeBytes + unread.readInt32BE(typeBytes);
        if (unread.length < length) return;
        const taken = unread.subarray(0, length);
        unread = unread.subarray(length);
        if (started) {
          for (const reply of replies[String.fromCharCode(taken.readUInt8())] ?? []) socket.write(reply);
        } else if (taken.readInt32BE(4) === sslRequest) {
          socket.write("N");
        } else {
          started = true;
          for (const reply of welcome) socket.write(reply);
        }
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
