import { Buffer } from "node:buffer";
import { X509Certificate, generateKeyPair } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, type SecureContext } from "node:tls";
import { promisify } from "node:util";

import { TapeError } from "../../../errors.ts";
import { apiFailure, oneLine } from "./api-failure.ts";
import type { Perishable } from "./endpoint-cache.ts";
import type { InstanceName } from "./instance-name.ts";
import { objectIn, textIn } from "./json-fields.ts";
import { apiScope, type TokenSource } from "./token-source.ts";

/** Where an instance's connector port is, and all that TLS with it needs. */
export interface Endpoint extends Perishable {
  readonly address: string;
  /** Our client certificate with its key, and the cluster's authority as the only trusted one; TLS 1.3. */
  readonly secureContext: SecureContext;
}

/** What fetching an endpoint needs. */
export interface EndpointApi {
  readonly name: InstanceName;
  readonly ip: "private" | "public";
  readonly tokens: TokenSource;
  readonly fetch: typeof fetch;
  readonly apiUrl: string;
  readonly userAgent: string;
  readonly timeoutMs: number;
  readonly now: () => number;
  /** Aborted when the store closes. */
  readonly closing: AbortSignal;
}

/** The least that the API grants; an hour also bounds what a stolen certificate is worth. */
const certificateLife = "3600s";

/**
 * Gives a function that asks the AlloyDB API for an instance's address and a client certificate, for a key pair that
 * never leaves this process. Errors: STORE_NOT_USABLE, STORE_UNAVAILABLE, and those of the token source.
 * Source: https://cloud.google.com/alloydb/docs/reference/rest
 */
export function endpointFetcher(api: EndpointApi): () => Promise<Endpoint> {
  let keys: ReturnType<typeof newKeys> | undefined;
  return async () => {
    keys ??= newKeys();
    const { publicKey, privateKey } = await keys;
    const request = { publicKey, certDuration: certificateLife, useMetadataExchange: true };
    const [info, certificate] = await Promise.all([
      call(api, "GET", `${api.name.instance}/connectionInfo`),
      call(api, "POST", `${api.name.cluster}:generateClientCertificate`, request),
    ]);
    return { address: addressIn(info, api), fetchedAt: api.now(), ...credentialsIn(certificate, privateKey, api) };
  };
}

const newKeys = (): Promise<{ readonly publicKey: string; readonly privateKey: string }> =>
  promisify(generateKeyPair)("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });

async function call(api: EndpointApi, method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
  const token = await api.tokens.token(apiScope);
  const headers: Record<string, string> = {
    authorization: `Bearer ${token.value}`,
    "content-type": "application/json",
    "user-agent": api.userAgent,
  };
  if (token.quotaProject !== undefined) headers["x-goog-user-project"] = token.quotaProject;
  const inTime = AbortSignal.timeout(api.timeoutMs);
  // Both are used once more below: a signal made of others is lost to the garbage collector when only fetch has it.
  const stop = AbortSignal.any([api.closing, inTime]);
  let status: number;
  let text: string;
  try {
    const response = await api.fetch(`${api.apiUrl}/v1/${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      redirect: "error",
      signal: stop,
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw unreachable(api, stop.aborted && inTime.aborted, cause);
  }
  if (status === 401) api.tokens.forget(apiScope);
  const answer = parsed(text);
  if (status < 200 || status > 299) throw apiFailure(status, answer, api.name);
  if (answer === undefined) throw strange(api, "it is no JSON");
  return answer;
}

function unreachable(api: EndpointApi, late: boolean, cause: unknown): TapeError {
  if (api.closing.aborted) return new TapeError("SHUTTING_DOWN", "the store was closed while it connected to AlloyDB");
  const root = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const why = late ? `gave no answer within ${api.timeoutMs} ms` : `cannot be reached (${oneLine(messageOf(root))})`;
  return new TapeError(
    "STORE_UNAVAILABLE",
    `AlloyDB instance ${api.name.instance}: ${new URL(api.apiUrl).host} ${why}; check the network, try again`,
    { cause },
  );
}

const messageOf = (error: unknown): string =>
  error instanceof AggregateError
    ? error.errors.map(messageOf).join(", ")
    : error instanceof Error
      ? error.message
      : String(error);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const strange = (api: EndpointApi, why: string, cause?: unknown): TapeError =>
  new TapeError(
    "STORE_UNAVAILABLE",
    `AlloyDB instance ${api.name.instance}: the answer of the API is not usable, ${why}; try again, or use the Auth Proxy`,
    { cause },
  );

function addressIn(info: unknown, api: EndpointApi): string {
  const address = textIn(info, api.ip === "public" ? "publicIpAddress" : "ipAddress");
  if (address !== undefined && isIP(address) !== 0) return address;
  const other = api.ip === "public" ? "private" : "public";
  throw new TapeError(
    "STORE_NOT_USABLE",
    `AlloyDB instance ${api.name.instance} has no ${api.ip} IP address; give it one, or write ip=${other} in the URL`,
  );
}

function credentialsIn(answer: unknown, key: string, api: EndpointApi): Pick<Endpoint, "secureContext" | "expiresAt"> {
  const chain = objectIn(answer, "pemCertificateChain");
  const ca = textIn(answer, "caCert");
  if (!Array.isArray(chain) || chain.length === 0 || ca === undefined) throw strange(api, "it lacks certificates");
  try {
    const cert = chain.map(String);
    const leaf = new X509Certificate(Buffer.from(cert[0] ?? ""));
    return {
      secureContext: createSecureContext({ cert: cert.join("\n"), key, ca, minVersion: "TLSv1.3" }),
      expiresAt: Date.parse(leaf.validTo),
    };
  } catch (cause) {
    throw strange(api, "its certificates cannot be read", cause);
  }
}
