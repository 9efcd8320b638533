/** A command line. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
}

/** What `postmaster.pid` says of the server that made it. */
export interface PostmasterPid {
  readonly pid: number;
  /** Seconds since 1970. */
  readonly startedAt: number;
}

/**
 * Reads `postmaster.opts`: `/path/postgres "-D" "/data"`. Nothing is escaped in it, so a quotation mark within an
 * argument cannot be told from the end of one: `undefined` then, and for every other text that is no command line.
 */
export function parsePostmasterOpts(text: string): CommandLine | undefined {
  const line = text.replace(/\r?\n$/, "");
  const match = /^([^"\n]*[^"\n ])((?: "[^"\n]*")*) ?$/.exec(line);
  if (match === null) return undefined;
  const [, program = "", rest = ""] = match;
  return { program, args: [...rest.matchAll(/"([^"]*)"/g)].map(([, arg = ""]) => arg) };
}

/** Reads `postmaster.pid`: process id, data folder, start time, one a line. */
export function parsePostmasterPid(text: string): PostmasterPid | undefined {
  const [pid, , startedAt] = text.split("\n").map((line) => Number(line.trim() || Number.NaN));
  // A server in single-user mode writes its number negated.
  if (pid === undefined || startedAt === undefined || !(pid > 1) || !(startedAt > 0)) return undefined;
  return { pid, startedAt };
}

/**
 * The same command line for whoever starts it from anywhere: a folder that was relative to where the server was started,
 * or stood in its environment, is named in full.
 */
export function withDataFolder({ program, args }: CommandLine, dataFolder: string): CommandLine {
  const at = args.findLastIndex((arg) => arg.startsWith("-D"));
  const joined = args[at]?.slice(2) ?? "";
  const named = joined === "" ? args[at + 1] : joined;
  if (at >= 0 && named?.startsWith("/") === true) return { program, args };
  // Of two folders the server takes the last.
  return { program, args: [...args, "-D", dataFolder] };
}
