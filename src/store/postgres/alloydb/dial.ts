import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

import { TapeError } from "../../../errors.ts";
import { oneLine } from "./api-failure.ts";
import type { EndpointCache } from "./endpoint-cache.ts";
import type { Endpoint } from "./endpoint.ts";
import { encodeRequest, takeResponse, type MetadataRequest, type MetadataResponse } from "./metadata-exchange.ts";
import { loginScope, type TokenSource } from "./token-source.ts";

/** What connecting to an instance's connector port needs. */
export interface DialOptions {
  readonly instance: string;
  readonly port: number;
  readonly endpoints: EndpointCache<Endpoint>;
  readonly tokens: TokenSource;
  readonly authType: MetadataRequest["authType"];
  readonly userAgent: string;
  /** For the handshake and the exchange together. */
  readonly timeoutMs: number;
}

/**
 * A TLS connection to the instance's connector port, from which on the PostgreSQL protocol is spoken. Paused: whoever
 * takes it resumes it. Errors: STORE_UNAVAILABLE, STORE_NOT_USABLE, and those of finding endpoint and token.
 */
export async function dial(options: DialOptions, signal: AbortSignal): Promise<TLSSocket> {
  const { endpoints, tokens, authType, userAgent, port } = options;
  const [endpoint, token] = await Promise.all([endpoints.get(), tokens.token(loginScope)]);
  signal.throwIfAborted();
  const inTime = AbortSignal.timeout(options.timeoutMs);
  const stop = AbortSignal.any([signal, inTime]);
  // The certificate names the instance's addresses, and Node compares with `host` when that is an address.
  const socket = connect({ host: endpoint.address, port, secureContext: endpoint.secureContext });
  // Errors are awaited below; one that comes between two waits must not end the process.
  socket.on("error", () => undefined);
  try {
    await once(socket, "secureConnect", { signal: stop });
    const response = await exchange(socket, { userAgent, authType, token: token.value }, stop);
    if (response.ok) return socket;
    tokens.forget(loginScope);
    throw refused(options, response);
  } catch (error) {
    socket.destroy();
    endpoints.distrust(endpoint);
    throw dialFailure(error, options, `${endpoint.address}:${port}`, inTime.aborted);
  }
}

function exchange(socket: TLSSocket, request: MetadataRequest, stop: AbortSignal): Promise<MetadataResponse> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const settle = (outcome: () => void): void => {
      socket.pause();
      socket.off("data", take).off("error", fail).off("close", closed);
      stop.removeEventListener("abort", aborted);
      outcome();
    };
    const fail = (error: unknown): void =>
      settle(() => reject(error instanceof Error ? error : new TapeError("INTERNAL", String(error))));
    const aborted = (): void => fail(stop.reason);
    const closed = (): void =>
      fail(new TapeError("STORE_UNAVAILABLE", "the server closed the connection before letting us in"));
    const take = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const taken = takeResponse(seen);
      if (taken === "malformed") {
        fail(new TapeError("STORE_UNAVAILABLE", "something that is no AlloyDB connector port answers there"));
      } else if (taken !== undefined) {
        settle(() => {
          if (taken.rest.length > 0) socket.unshift(taken.rest);
          resolve(taken.response);
        });
      }
    };
    socket.on("data", take).on("error", fail).on("close", closed);
    stop.addEventListener("abort", aborted, { once: true });
    if (stop.aborted) aborted();
    else socket.write(encodeRequest(request));
  });
}

function refused({ instance, authType }: DialOptions, response: MetadataResponse): TapeError {
  const next =
    authType === "iam"
      ? "check that the instance has the flag alloydb.iam_authentication=on, that the user is the principal of the credentials, and that it has roles/alloydb.databaseUser"
      : "check that the principal of the credentials has roles/alloydb.client";
  const said = response.error === "" ? "without a reason" : oneLine(response.error);
  return new TapeError("STORE_NOT_USABLE", `AlloyDB instance ${instance} refused the connection: ${said}; ${next}`);
}

/** Codes of a server certificate that does not prove the instance. Source: Node's tls, X509 verification errors. */
const unproved =
  /^(?:ERR_TLS_CERT|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|PATH_LENGTH|INVALID_PURPOSE|HOSTNAME_MISMATCH)/;

function dialFailure(error: unknown, { instance, timeoutMs }: DialOptions, where: string, late: boolean): TapeError {
  if (error instanceof TapeError && error.reason === "STORE_NOT_USABLE") return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const said = error instanceof Error ? oneLine(error.message) : String(error);
  if (unproved.test(code)) {
    return new TapeError(
      "STORE_NOT_USABLE",
      `the server at ${where} does not prove to be AlloyDB instance ${instance}: ${said}; check that this network reaches the instance itself`,
      { cause: error },
    );
  }
  const why = late ? `no answer within ${timeoutMs} ms` : said;
  return new TapeError(
    "STORE_UNAVAILABLE",
    `connecting to AlloyDB instance ${instance} at ${where} failed: ${why}; check that this machine reaches its network, try again`,
    { cause: error },
  );
}
