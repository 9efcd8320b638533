import { createPublicKey } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { CertificateAuthority } from "./certificate-authority.ts";

export const instance = "projects/shop/locations/europe-west1/clusters/main/instances/primary";
const cluster = "projects/shop/locations/europe-west1/clusters/main";

interface SeenRequest {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

/** The two methods of the AlloyDB API that connecting needs, on loopback HTTP. */
export interface FakeAlloydbApi {
  readonly url: string;
  readonly requests: SeenRequest[];
  /** What `connectionInfo` answers. */
  info: object;
  /** What the next certificates say; both may be moved by the test. */
  notBefore: () => number;
  notAfter: () => number;
  /** The certificate authority that servers are to be checked by; that of the cluster unless changed. */
  caCert: string;
  /** Set: every call is answered so. `hang`: never. */
  failure: { readonly status: number; readonly body: string } | "hang" | undefined;
  /** Client certificates given out. */
  issued: number;
  close(): Promise<void>;
}

export async function fakeAlloydbApi(authority: CertificateAuthority): Promise<FakeAlloydbApi> {
  const server = createServer((request, response) => {
    void (async () => {
      let text = "";
      for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
      const body: unknown = text === "" ? undefined : JSON.parse(text);
      const line = `${request.method} ${request.url}`;
      api.requests.push({ line, headers: request.headers, body });
      if (api.failure === "hang") return;
      const { status, answer } = respond(line, body);
      response.writeHead(status, { "content-type": "application/json" }).end(answer);
    })();
  });
  const respond = (line: string, body: unknown): { readonly status: number; readonly answer: string } => {
    if (typeof api.failure === "object") return { status: api.failure.status, answer: api.failure.body };
    if (line === `GET /v1/${instance}/connectionInfo`) return { status: 200, answer: JSON.stringify(api.info) };
    if (line === `POST /v1/${cluster}:generateClientCertificate`) return { status: 200, answer: certificate(body) };
    return { status: 404, answer: JSON.stringify({ error: { code: 404, message: "Not Found", status: "NOT_FOUND" } }) };
  };
  const certificate = (body: unknown): string => {
    const { publicKey } = body as { publicKey: string };
    api.issued += 1;
    const leaf = authority.issue({
      name: "client",
      publicKey: createPublicKey(publicKey),
      notBefore: api.notBefore(),
      notAfter: api.notAfter(),
    });
    return JSON.stringify({ pemCertificateChain: [leaf, authority.certificate], caCert: api.caCert });
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const api: FakeAlloydbApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    info: { ipAddress: "127.0.0.1", instanceUid: "uid" },
    notBefore: () => Date.now() - 60_000,
    notAfter: () => Date.now() + 3_600_000,
    caCert: authority.certificate,
    failure: undefined,
    issued: 0,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return api;
}
