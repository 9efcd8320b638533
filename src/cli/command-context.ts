import type { Environment } from "../server/settings.ts";
import type { Terminal } from "./terminal.ts";

/** What every command gets from the process it runs in. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly env: Environment;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * Asks to be told of Ctrl-C and SIGTERM, which otherwise end the process at once. Fires at the first one; the second
   * one ends the process.
   */
  readonly interruption: () => AbortSignal;
  /** Sets the code that the process ends with. */
  readonly exit: (code: number) => void;
}
