import { type Command, CommanderError } from "commander";
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
      // Help comes this way too.
      if (error.exitCode === 0) return;
      context.terminal.note(usageFault(error, rest, tape));
      context.exit(exitCodes.usage);
      return;
    }
    context.terminal.note(`tape: ${fault(error, verbose)}`);
    context.exit(exitCodeOf(error));
  }
}

/** What commander says about a command line, in one line that names the command and its help. */
function usageFault({ message }: CommanderError, words: readonly string[], tape: Command): string {
  const said = message
    .replace(/^error: /, "")
    .replace(/^command-argument value '(.*?)' is invalid for argument '(.*?)'\. /, "'$1' is no $2: ")
    .replace(/^option '.*?(--[\w-]+).*?' argument '(.*?)' is invalid\. /, "$1 '$2': ")
    .replace(/\.?\s*\n\s*/, " ")
    .replace(/\.$/, "");
  const name = commandNamed(words, tape);
  return `${name}: ${said}. See \`${name} --help\`.`;
}

function commandNamed(words: readonly string[], command: Command): string {
  const [word, ...rest] = words;
  const child = command.commands.find((one) => one.name() === word);
  return child === undefined ? command.name() : `${command.name()} ${commandNamed(rest, child)}`;
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
