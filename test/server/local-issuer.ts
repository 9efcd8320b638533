import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import type { TrustedIssuer } from "../../src/server/id-token/trusted-issuer.ts";

/** A key of an issuer: what it signs with, and what it publishes. */
export interface IssuerKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Makes a key; nobody has published it yet. */
export async function makeKey(alg: "RS256" | "ES256" | "EdDSA" | "PS256", kid: string): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** An issuer of ID tokens on loopback, with a discovery document and keys, that can be made to behave badly. */
export class LocalIssuer implements AsyncDisposable {
  /** Paths that were asked for. */
  readonly requests: string[] = [];
  /** What is published. */
  keys: readonly IssuerKey[];
  /** Instead of the proper answer: an outage, say. */
  behaviour: Answer | undefined;
  readonly #server: Server;
  #url = "";

  private constructor(keys: readonly IssuerKey[]) {
    this.keys = keys;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async open(...keys: readonly IssuerKey[]): Promise<LocalIssuer> {
    const issuer = new LocalIssuer(keys.length > 0 ? keys : [await makeKey("ES256", "es-1")]);
    issuer.#server.listen(0, "127.0.0.1");
    await once(issuer.#server, "listening");
    issuer.#url = `http://127.0.0.1:${(issuer.#server.address() as AddressInfo).port}`;
    return issuer;
  }

  /** What it calls itself, and where it is. */
  get url(): string {
    return this.#url;
  }

  get jwksUrl(): string {
    return `${this.#url}/keys`;
  }

  /** As a server trusts it. */
  trusted(more: Partial<TrustedIssuer> = {}): TrustedIssuer {
    return { names: [this.#url], jwksUrl: null, algorithms: ["RS256", "ES256"], verifiedEmail: false, ...more };
  }

  /** A token that is good for an hour for `audience`; `claims` replace what it would say, `undefined` leaves it out. */
  async sign(
    claims: Readonly<Record<string, unknown>> = {},
    key: IssuerKey | undefined = this.keys[0],
  ): Promise<string> {
    if (key === undefined) throw new Error("no key");
    const now = Math.floor(Date.now() / 1000);
    const whole = { iss: this.#url, aud: audience, sub: "agent-1", iat: now, exp: now + 3600, ...claims };
    const said = Object.entries(whole).filter(([, value]) => value !== undefined);
    return new SignJWT(Object.fromEntries(said))
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: "JWT" })
      .sign(key.privateKey);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.url ?? "");
    if (this.behaviour !== undefined) this.behaviour(request, response);
    else if (request.url === "/keys") answerJson(response, { keys: this.keys.map(({ publicJwk }) => publicJwk) });
    else if (request.url === "/.well-known/openid-configuration")
      answerJson(response, { issuer: this.#url, jwks_uri: this.jwksUrl });
    else response.writeHead(404).end();
  }
}

/** What the tokens of tests are for. */
export const audience = "https://tape.example";

/** Answers with JSON. */
export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
