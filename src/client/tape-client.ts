import { TapeError } from "../errors.ts";
import type { Tape } from "../model/tape.ts";
import { Caller, type CallerOptions } from "./caller.ts";
import type { ClientOptions } from "./client-options.ts";
import { remoteTape } from "./remote-tape.ts";
import { originOf } from "./server-url.ts";
import { systemTimers, type Timers } from "./timers.ts";
import type { Transport } from "./transport.ts";

/** In what Node and browsers differ. */
export interface Platform {
  /** Makes the transport to an origin. */
  readonly transportTo: (origin: string, timers: Timers) => Transport;
  /** Where Google's ID tokens for an audience come from; absent: nowhere. */
  readonly googleTokens?: (audience: string) => { token(): Promise<string> };
}

/** A {@link Tape} over a transport, with the defaults of {@link ClientOptions} filled in. */
export function tapeClient(url: string, options: ClientOptions, platform: Platform): Tape {
  const { timers = systemTimers, timeoutMs = 30_000, retries = {}, signal } = options;
  const { maxAttempts = 10, baseDelayMs = 50, maxDelayMs = 2_000 } = retries;
  const origin = originOf(url);
  const credentials = credentialsOf(origin, options, platform);
  const transport = platform.transportTo(origin, timers);
  const caller = new Caller({
    transport,
    timers,
    ...credentials,
    timeoutMs,
    retries: { maxAttempts, baseDelayMs, maxDelayMs },
  });
  const closeBySignal = (): void => void caller.close();
  const close = (): Promise<void> => {
    signal?.removeEventListener("abort", closeBySignal);
    return caller.close();
  };
  signal?.addEventListener("abort", closeBySignal, { once: true });
  if (signal?.aborted === true) closeBySignal();
  return remoteTape(caller, close);
}

function credentialsOf(
  origin: string,
  { token, auth, audience = new URL(origin).origin }: ClientOptions,
  { googleTokens }: Platform,
): Pick<CallerOptions, "token" | "tokenHeaders"> {
  if (auth === undefined) return { token, tokenHeaders: ["authorization"] };
  if (token !== undefined) refuse("auth", "`token` and `auth` both say what to send; give one of them");
  if (googleTokens === undefined) refuse("auth", "it is for Node; in a browser give a `token` function");
  if (!isPrivate(origin)) refuse("auth", "a token is not sent in plain text; use tapes://");
  if (!/^[\x21-\x7e]+$/.test(audience)) refuse("audience", "it must be visible ASCII without spaces");
  const tokens = googleTokens(audience);
  // Cloud Run, where it checks callers itself, takes the signature away from the header that it looks at. It looks at the
  // second one when both are there, and the server gets the first as it was sent.
  return { token: () => tokens.token(), tokenHeaders: ["authorization", "x-serverless-authorization"] };
}

/** Whether nobody but the server, or this machine, can read what is sent. */
function isPrivate(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

function refuse(field: string, fault: string): never {
  throw new TapeError("ARGUMENT_INVALID", `The option \`${field}\` cannot be used: ${fault}.`, { ids: { field } });
}
