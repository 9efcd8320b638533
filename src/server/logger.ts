import { pino, stdTimeFunctions, type Logger, type DestinationStream } from "pino";
import { prettyLines } from "./pretty-lines.ts";

/** How a server logs. */
export interface LogOptions {
  readonly format: "json" | "pretty";
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** Only with `pretty`. */
  readonly colours: boolean;
}

/**
 * The server's log: one JSON object a line, or a line for people. It goes to standard error, so that what a command
 * prints stays its own. No caller may log a payload, a token, a header or a store URL that is not masked.
 */
export function createLogger(options: LogOptions, destination: DestinationStream = pino.destination(2)): Logger {
  const stream = options.format === "pretty" ? prettyLines(destination, options.colours) : destination;
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
}
