import { transportOf, type PackagePath } from "./transport.ts";

/** What every call is made with. */
export interface CallOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly retry: null;
  readonly retryRequestOptions: { readonly retries: 0; readonly noResponseRetries: 0 };
}

/**
 * Options of a call that the library sends once: neither its table of retries applies, nor what it does by default with a
 * stream that ends before its first answer (two more tries, over seconds). The tests count what arrives.
 */
export const once = (timeout: number): CallOptions => ({
  timeout,
  retry: null,
  retryRequestOptions: { retries: 0, noResponseRetries: 0 },
});

/** What every client is made with. */
export type ClientOptions = Readonly<Record<string, unknown>>;

/** Where a client goes. */
export interface ClientPlace {
  readonly packages: PackagePath;
  readonly project: string;
  /** `host:port` of an emulator. Default: the service. */
  readonly emulator: string | undefined;
}

/** For everything that a store does: what an identity may do is for IAM to say. */
const scopes = ["https://www.googleapis.com/auth/cloud-platform"];

/**
 * Options that every client of this place is made with. Rejects without usable Application Default Credentials: a client
 * that finds that out by itself leaves rejections behind that nobody can catch.
 */
export async function clientOptions({ packages, project, emulator }: ClientPlace): Promise<ClientOptions> {
  const { grpc, GoogleAuth } = transportOf(packages);
  return {
    projectId: project,
    // Without this several clients share one connection.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    // A server that comes back is found within a second, not two minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    // Beside the library, the transport may send a call again too; a commit must be sent once.
    "grpc.enable_retries": 0,
    ...(emulator === undefined
      ? { authClient: await new GoogleAuth({ scopes }).getClient() }
      : { ...hostAndPort(emulator), sslCreds: grpc.credentials.createInsecure(), universeDomain: "googleapis.com" }),
  };
}

function hostAndPort(text: string): { readonly servicePath: string; readonly port: number } {
  const cut = text.lastIndexOf(":");
  return { servicePath: text.slice(0, cut), port: Number(text.slice(cut + 1)) };
}
