import picocolors from "picocolors";
import type { CommandContext } from "../../src/cli/command-context.ts";
import { runCli } from "../../src/cli/run-cli.ts";

/** What a command line did. */
export interface CliResult {
  readonly code: number;
  /** Standard output, without the last newline. */
  readonly out: string;
  /** Standard error, likewise. */
  readonly err: string;
}

/** What the process around a command line is like. */
export interface CliProcess {
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: () => number;
  readonly signal?: AbortSignal;
  /** Told of every line of standard output. */
  readonly onLine?: (line: string) => void;
}

/** Runs a command line in this process, as if standard output and error were pipes. */
export async function tape(words: readonly string[], around: CliProcess = {}): Promise<CliResult> {
  const { env = {}, now = () => Date.now(), signal = new AbortController().signal, onLine } = around;
  const out: string[] = [];
  const err: string[] = [];
  let code = 0;
  const context: CommandContext = {
    terminal: {
      print: (line) => {
        out.push(line);
        onLine?.(line);
      },
      note: (line) => void err.push(line),
      interactive: false,
      colours: picocolors.createColors(false),
      columns: Number.POSITIVE_INFINITY,
    },
    env,
    now,
    interruption: () => signal,
    exit: (value) => {
      code = value;
    },
  };
  await runCli(words, context);
  return { code, out: out.join("\n"), err: err.join("\n") };
}
