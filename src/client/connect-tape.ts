import type { Tape } from "../model/tape.ts";
import type { ClientOptions } from "./client-options.ts";
import { GoogleIdTokens } from "./google-id-tokens.ts";
import { http2Transport } from "./http2-transport.ts";
import { tapeClient } from "./tape-client.ts";

/**
 * The {@link Tape} of a server, `tape://host:7878`, or with TLS `tapes://host:443`. Returns at once and connects at the
 * first call; what is wrong with the server is the error of that call. Errors: ARGUMENT_INVALID for the URL.
 *
 * UNAVAILABLE and lost races are tried again within the deadline, always under the same request id (R3). Streams that
 * break go on behind the last item delivered.
 */
export function connectTape(url: string, options: ClientOptions = {}): Tape {
  const { tls, keepaliveMs = 30_000 } = options;
  return tapeClient(url, options, {
    transportTo: (origin, timers) => http2Transport({ origin, timers, tls, keepaliveMs }),
    googleTokens: (audience) => new GoogleIdTokens({ audience }),
  });
}
