import type { Tape } from "../model/tape.ts";
import { Caller } from "./caller.ts";
import type { ClientOptions } from "./client-options.ts";
import { remoteTape } from "./remote-tape.ts";
import { originOf } from "./server-url.ts";
import { systemTimers, type Timers } from "./timers.ts";
import type { Transport } from "./transport.ts";

/** Makes the transport to an origin: the only thing in which Node and browsers differ. */
export type TransportFactory = (origin: string, timers: Timers) => Transport;

/** A {@link Tape} over a transport, with the defaults of {@link ClientOptions} filled in. */
export function tapeClient(url: string, options: ClientOptions, transportTo: TransportFactory): Tape {
  const { timers = systemTimers, token, timeoutMs = 30_000, retries = {}, signal } = options;
  const { maxAttempts = 10, baseDelayMs = 50, maxDelayMs = 2_000 } = retries;
  const transport = transportTo(originOf(url), timers);
  const caller = new Caller({ transport, timers, token, timeoutMs, retries: { maxAttempts, baseDelayMs, maxDelayMs } });
  const closeBySignal = (): void => void caller.close();
  const close = (): Promise<void> => {
    signal?.removeEventListener("abort", closeBySignal);
    return caller.close();
  };
  signal?.addEventListener("abort", closeBySignal, { once: true });
  if (signal?.aborted === true) closeBySignal();
  return remoteTape(caller, close);
}
