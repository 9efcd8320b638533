import { createPublicKey, generateKeyPairSync, randomUUID, verify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Endpoints } from "../../../src/cli/doctor/gcp/google/endpoints.ts";
import type { World } from "./world.ts";

const apis: readonly (keyof Endpoints)[] = [
  "run",
  "secretmanager",
  "serviceusage",
  "cloudresourcemanager",
  "iam",
  "alloydb",
  "sqladmin",
  "bigtableadmin",
  "spanner",
  "oauth2",
];

/** Made once: a key takes a tenth of a second. */
const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** Google's REST APIs on loopback HTTP, as far as the check-up asks them, about a world that a test can alter. */
export class FakeGoogle implements AsyncDisposable {
  readonly world: World;
  /** Every request but those for tokens, in order: `GET run/v2/...`. */
  readonly requests: string[] = [];
  /** Requests that came without the token that was given out. */
  readonly strangers: string[] = [];
  /** The projects that calls are to be counted for; those of whoever does not say are empty. */
  readonly quotaProjects: string[] = [];
  /** The token that is given out. */
  readonly token: string = `ya29.${randomUUID()}`;
  readonly #server = createServer((request, response) => {
    void this.#serve(request, response);
  });

  private constructor(world: World) {
    this.world = world;
  }

  static async open(world: World): Promise<FakeGoogle> {
    const fake = new FakeGoogle(world);
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get endpoints(): Endpoints {
    return Object.fromEntries(apis.map((api) => [api, `${this.url}/${api}`])) as unknown as Endpoints;
  }

  /** A service account's key file, as `gcloud iam service-accounts keys create` writes it. */
  keyFile(email: string): { readonly private_key: string; readonly [name: string]: string } {
    return {
      type: "service_account",
      project_id: "shop",
      private_key_id: "0123456789abcdef",
      private_key: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      client_email: email,
      client_id: "1",
      token_uri: `${this.url}/token`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
    const path = (request.url ?? "").slice(1).replace(/\?.*/, "");
    if (path === "token") {
      this.#giveToken(text, response);
      return;
    }
    this.requests.push(`${request.method} ${path}`);
    if (!path.startsWith("oauth2/")) this.quotaProjects.push(String(request.headers["x-goog-user-project"] ?? ""));
    const fault = this.world.faults[path];
    if (fault === "hang") return;
    if (fault !== undefined) {
      send(response, fault.status, fault.text);
      return;
    }
    if (request.headers.authorization !== `Bearer ${this.token}`) {
      this.strangers.push(path);
      send(response, 401, errorText(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."));
      return;
    }
    const answer = this.#answer(path, new URLSearchParams(request.url?.split("?")[1]), text);
    if (answer === undefined) send(response, 404, errorText(404, "NOT_FOUND", "Resource was not found."));
    else send(response, 200, JSON.stringify(answer));
  }

  #answer(path: string, query: URLSearchParams, text: string): unknown {
    const { resources, policies, lacking, enabled } = this.world;
    const [, resource = path, verb] = /^(.*):(getIamPolicy|testIamPermissions)$/.exec(path) ?? [];
    if (verb !== undefined && resources[resource] === undefined) return undefined;
    if (verb === "getIamPolicy") return { version: 1, etag: "BwY=", bindings: policies[resource] ?? [] };
    if (verb === "testIamPermissions") {
      const { permissions } = JSON.parse(text) as { permissions: string[] };
      const held = permissions.filter((one) => lacking[resource]?.includes(one) !== true);
      return held.length === 0 ? {} : { permissions: held };
    }
    if (path === "serviceusage/v1/projects/shop/services:batchGet") {
      return { services: query.getAll("names").map((name) => serviceUsage(name, enabled)) };
    }
    return resources[path];
  }

  #giveToken(text: string, response: ServerResponse): void {
    const { token } = this.world;
    if (token === "hang") return;
    const form = new URLSearchParams(text);
    const isKnown = form.get("grant_type") === "refresh_token" || isSigned(form.get("assertion") ?? "");
    if (token !== "given") {
      send(response, token.status, token.text);
      return;
    }
    if (!isKnown) {
      send(response, 400, JSON.stringify({ error: "invalid_grant", error_description: "Invalid JWT Signature." }));
      return;
    }
    send(response, 200, JSON.stringify({ access_token: this.token, expires_in: 3599, token_type: "Bearer" }));
  }
}

function send(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8" }).end(text);
}

/** An error as Google's APIs write it. */
export const errorText = (code: number, status: string, message: string, info?: object): string =>
  JSON.stringify({
    error: {
      code,
      message,
      status,
      ...(info === undefined ? {} : { details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", ...info }] }),
    },
  });

/** One service of `services:batchGet`. Names come with the project's id and are answered with its number. */
function serviceUsage(asked: string, enabled: readonly string[]): unknown {
  const api = asked.split("/").at(-1) ?? "";
  const state = enabled.includes(api) ? "ENABLED" : "DISABLED";
  return { name: `projects/424242/services/${api}`, config: { name: api }, state, parent: "projects/424242" };
}

function isSigned(assertion: string): boolean {
  const [head = "", body = "", signature = ""] = assertion.split(".");
  const signed = Buffer.from(`${head}.${body}`);
  return verify("RSA-SHA256", signed, createPublicKey(keys.privateKey), Buffer.from(signature, "base64url"));
}
