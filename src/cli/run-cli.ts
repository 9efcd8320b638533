import { CommanderError } from "commander";
import { TapeError } from "../errors.ts";
import type { CommandContext } from "./command-context.ts";
import { exitCodeOf, exitCodes } from "./exit-code.ts";
import { program } from "./program.ts";
import { printable } from "./terminal.ts";

/** Runs one command line, without `node` and the script. Everything that goes wrong is said in one line. */
export async function runCli(words: readonly string[], context: CommandContext): Promise<void> {
  // Wherever it stands: whoever adds it to a line that failed should not have to think.
  const verbose = words.includes("--verbose");
  const rest = words.filter((word) => word !== "--verbose");
  const tape = program(context);
  try {
    if (rest.length === 0) tape.outputHelp();
    else await tape.parseAsync(rest, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version come this way too.
      if (error.exitCode === 0 || error.code === "commander.help") return;
      context.terminal.note(`tape: ${usageFault(error)}`);
      context.exit(exitCodes.usage);
      return;
    }
    context.terminal.note(`tape: ${fault(error, verbose)}`);
    context.exit(exitCodeOf(error));
  }
}

function usageFault({ message }: CommanderError): string {
  const [first = "", ...more] = message.replace(/^error: /, "").split("\n");
  return [first, ...more].join(" ");
}

function fault(error: unknown, verbose: boolean): string {
  if (verbose) return stackOf(error);
  if (error instanceof TapeError) return printable(error.message);
  const message = error instanceof Error ? error.message : String(error);
  return `This should not happen: ${printable(message)}. \`tape --verbose ...\` shows where; please report it.`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by: ${stackOf(error.cause)}`;
  const reason = error instanceof TapeError ? ` [${error.reason}]` : "";
  return `${error.stack ?? error.message}${reason}${cause}`;
}
