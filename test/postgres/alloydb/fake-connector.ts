import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect, type AddressInfo, type Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import type { CertificateAuthority } from "./certificate-authority.ts";

interface SeenExchange {
  readonly userAgent: string;
  readonly authType: number;
  readonly token: string;
}

/** An instance's connector port: TLS 1.3 with client certificates, the metadata exchange, then PostgreSQL behind it. */
export interface FakeConnector {
  readonly port: number;
  readonly exchanges: SeenExchange[];
  /** Serial numbers of the client certificates seen, one a connection. */
  readonly clients: string[];
  /** What the exchange answers: `undefined` is OK, a text is the error; `silence`, `close` and bytes are faults. */
  answer: (request: SeenExchange) => string | undefined | { readonly fault: "silence" | "close" | Buffer };
  /** Cuts all connections, as a failover does. */
  cut(): void;
  close(): Promise<void>;
}

export async function fakeConnector(
  authority: CertificateAuthority,
  target: { readonly host: string; readonly port: number },
  addresses: readonly string[] = ["127.0.0.1"],
): Promise<FakeConnector> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const hour = 3_600_000;
  const times = { notBefore: Date.now() - hour, notAfter: Date.now() + hour };
  const server = createServer({
    cert: authority.issue({ name: "server", publicKey, addresses, ...times }),
    key: privateKey.export({ type: "pkcs8", format: "pem" }),
    ca: authority.certificate,
    requestCert: true,
    minVersion: "TLSv1.3",
  });
  const open = new Set<Socket>();
  server.on("secureConnection", (client) => {
    open.add(client);
    client.on("error", () => undefined);
    client.on("close", () => open.delete(client));
    connector.clients.push(client.getPeerCertificate().serialNumber);
    serve(client).catch(() => client.destroy());
  });
  const serve = async (client: TLSSocket): Promise<void> => {
    const request = decode(await frame(client));
    connector.exchanges.push(request);
    const answer = connector.answer(request);
    if (typeof answer !== "object") {
      client.write(encode(answer));
      if (answer === undefined) forward(client);
    } else if (answer.fault === "close") client.end();
    else if (answer.fault !== "silence") client.write(answer.fault);
  };
  const forward = (client: TLSSocket): void => {
    const database = connect(target.port, target.host);
    open.add(database);
    database.on("error", () => client.destroy());
    database.on("close", () => open.delete(database));
    client.on("close", () => database.destroy());
    client.pipe(database).pipe(client);
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connector: FakeConnector = {
    port: (server.address() as AddressInfo).port,
    exchanges: [],
    clients: [],
    answer: () => undefined,
    cut() {
      for (const socket of open) socket.destroy();
    },
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return connector;
}

async function frame(client: TLSSocket): Promise<Buffer> {
  for (;;) {
    const seen = client.read() as Buffer | null;
    if (seen !== null) {
      const size = 4 + (seen.length < 4 ? Infinity : seen.readUInt32BE());
      if (seen.length >= size) {
        if (seen.length > size) throw new RangeError("the PostgreSQL protocol began before the exchange ended");
        return seen.subarray(4);
      }
      client.unshift(seen);
    }
    await once(client, "readable");
  }
}

function decode(message: Buffer): SeenExchange {
  const reader = new BinaryReader(message);
  const seen = { userAgent: "", authType: 0, token: "" };
  while (reader.pos < reader.len) {
    const [field, kind] = reader.tag();
    if (field === 1) seen.userAgent = reader.string();
    else if (field === 2) seen.authType = reader.int32();
    else if (field === 3) seen.token = reader.string();
    else reader.skip(kind);
  }
  return seen;
}

/** The answer in its frame; a field from the future is skipped by whoever reads it. */
export function encode(error: string | undefined): Buffer {
  const writer = new BinaryWriter();
  writer.tag(1, 0).int32(error === undefined ? 1 : 2);
  if (error !== undefined) writer.tag(2, 2).string(error);
  const message = writer.tag(99, 2).string("from the future").finish();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
}
