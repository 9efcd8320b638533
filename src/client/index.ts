/* `tape-journal/client` on Node. In browsers it is `browser.ts`. */

export * from "./nouns.ts";
export type { ClientOptions, RetryOptions, TlsOptions } from "./client-options.ts";
export { connectTape } from "./connect-tape.ts";
export type { Timers } from "./timers.ts";
