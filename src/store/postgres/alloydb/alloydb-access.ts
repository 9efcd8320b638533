import type { Duplex } from "node:stream";

import { TapeError } from "../../../errors.ts";
import { ConnectorStream } from "./connector-stream.ts";
import { dial, type DialOptions } from "./dial.ts";
import { endpointCache } from "./endpoint-cache.ts";
import { endpointFetcher } from "./endpoint.ts";
import { parseInstanceName } from "./instance-name.ts";
import { googleTokens, loginScope, type TokenSource } from "./token-source.ts";

/** What a PostgreSQL client needs to reach AlloyDB beside what its URL says. Each is asked once a connection. */
export interface AlloydbAccess {
  /** In place of a socket: encrypted and verified, so the client's own TLS stays off. */
  readonly stream?: () => Duplex;
  /** The password of the moment: an access token. */
  readonly password?: () => Promise<string>;
  /** The database user, as AlloyDB calls the principal. */
  readonly user?: string;
  /** Ends what is being asked of the API; connections are their client's. */
  close(): Promise<void>;
}

/** The parts of an `alloydb://` URL that decide how to get in. */
export interface AlloydbRoute {
  /** `projects/P/locations/R/clusters/C/instances/I`: go there directly. `undefined`: go to `host`, as to PostgreSQL. */
  readonly instance: string | undefined;
  /** Log in as an IAM principal. */
  readonly iam: boolean;
  readonly ip: "private" | "public";
  readonly user: string | undefined;
  readonly host: string;
}

/** What tests replace. */
export interface AlloydbSeams {
  readonly tokens?: TokenSource;
  readonly fetch?: typeof fetch;
  readonly apiUrl?: string;
  readonly port?: number;
  readonly now?: () => number;
  readonly timeoutMs?: number;
}

/** Where an instance's connector port is. Source: the public connectors. */
const connectorPort = 5433;
/** For one call of the API, one token, or handshake and exchange; the public connectors wait as long. */
const defaultTimeoutMs = 30_000;
const userAgent = "tape-journal";

/** Errors: STORE_URL_INVALID, DRIVER_MISSING. Nothing is asked of the network before the first connection. */
export async function alloydbAccess(target: AlloydbRoute, seams: AlloydbSeams = {}): Promise<AlloydbAccess> {
  const { instance, iam, ip } = target;
  const name = instance === undefined ? undefined : parseInstanceName(instance);
  const user = iam ? principalOf(target) : undefined;
  if (name === undefined && !iam) return { close: () => Promise.resolve() };

  const timeoutMs = seams.timeoutMs ?? defaultTimeoutMs;
  const tokens = seams.tokens ?? (await googleTokens(timeoutMs));
  const closing = new AbortController();
  const login = user === undefined ? {} : { user, password: async () => (await tokens.token(loginScope)).value };
  const close = (): Promise<void> => {
    closing.abort();
    return Promise.resolve();
  };
  if (name === undefined) return { ...login, close };

  const now = seams.now ?? Date.now;
  const fetchEndpoint = endpointFetcher({
    name,
    ip,
    tokens,
    fetch: seams.fetch ?? fetch,
    apiUrl: seams.apiUrl ?? "https://alloydb.googleapis.com",
    userAgent,
    timeoutMs,
    now,
    closing: closing.signal,
  });
  const dialing: DialOptions = {
    instance: name.instance,
    port: seams.port ?? connectorPort,
    endpoints: endpointCache(fetchEndpoint, now),
    tokens,
    authType: iam ? "iam" : "native",
    userAgent,
    timeoutMs,
  };
  return { ...login, close, stream: () => new ConnectorStream((signal) => dial(dialing, signal)) };
}

/** AlloyDB calls a service account by its address without the ending. */
function principalOf({ user }: AlloydbRoute): string {
  if (user === undefined || user === "") {
    throw new TapeError(
      "STORE_URL_INVALID",
      "iam=true needs the principal as the user: alloydb://PRINCIPAL@/DATABASE?instance=...&iam=true, with its @ written %40",
    );
  }
  return user.toLowerCase().endsWith(".gserviceaccount.com") ? user.slice(0, -".gserviceaccount.com".length) : user;
}
