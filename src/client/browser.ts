import type { Tape } from "../model/tape.ts";
import type { ClientOptions } from "./client-options.ts";
import { fetchTransport } from "./fetch-transport.ts";
import { tapeClient } from "./tape-client.ts";

/* `tape-journal/client` in a browser: the same as on Node, over fetch. */

export * from "./nouns.ts";
export type { ClientOptions, RetryOptions, TlsOptions } from "./client-options.ts";
export type { Timers } from "./timers.ts";

/**
 * The {@link Tape} of a server, `tape://host:7878`, or with TLS `tapes://host:443`, over gRPC-Web. The server must allow
 * the page's origin. Otherwise like `connectTape` on Node; the options `keepaliveMs` and `tls` have no effect, and `auth`
 * is refused: credentials of services do not belong into a page.
 */
export function connectTape(url: string, options: ClientOptions = {}): Tape {
  return tapeClient(url, options, { transportTo: fetchTransport });
}
