import { type Argument, Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { attentionCommand } from "./commands/attention.ts";
import { cancelCommand } from "./commands/cancel.ts";
import { compactCommand } from "./commands/compact.ts";
import { configCommand } from "./commands/config.ts";
import { demoCommand } from "./commands/demo.ts";
import { devCommand } from "./commands/dev.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { migrateCommand } from "./commands/migrate.ts";
import { reactionsCommand } from "./commands/reactions.ts";
import { resolveCommand } from "./commands/resolve.ts";
import { runsCommand } from "./commands/runs.ts";
import { serveCommand } from "./commands/serve.ts";
import { sessionsCommand } from "./commands/sessions.ts";
import { showCommand } from "./commands/show.ts";
import { signalCommand } from "./commands/signal.ts";
import { tailCommand } from "./commands/tail.ts";
import { tasksCommand } from "./commands/tasks.ts";
import { valuesCommand } from "./commands/values.ts";
import { versionCommand } from "./commands/version.ts";
import { exitCodeMeanings, exitCodes } from "./exit-code.ts";

const groups = [
  { title: "Run a server:", make: [serveCommand, devCommand, migrateCommand, configCommand, doctorCommand] },
  { title: "Look:", make: [tailCommand, runsCommand, showCommand, attentionCommand] },
  { title: "Act:", make: [signalCommand, resolveCommand, cancelCommand, compactCommand] },
  { title: "Data:", make: [valuesCommand, sessionsCommand, reactionsCommand, tasksCommand] },
  { title: "More:", make: [demoCommand, versionCommand] },
] as const;

// Wider lines are hard to read, and what is no terminal gets what fits everywhere.
const widestHelp = 100;
const plainHelp = 80;

/** The whole command line. What a command needs to work is loaded when it runs, so that `--help` is quick. */
export function program(context: CommandContext): Command {
  const { terminal } = context;
  const tape = new Command("tape")
    .description("A durable-execution journal for agents that act.")
    .usage("<command> [options]")
    .option("--verbose", "with stack traces when something fails")
    .addHelpText("after", `\n${exitCodeHelp()}\n\n${examples}`);
  for (const { title, make } of groups) {
    tape.commandsGroup(title);
    for (const command of make) tape.addCommand(command(context).addHelpText("after", moreHelp));
  }
  for (const command of withChildren(tape)) {
    // Errors are thrown, and said in one place.
    command.exitOverride().helpCommand(false).helpOption("-h, --help", "print this help");
    command.configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      outputError: () => undefined,
      getOutHelpWidth: () => (terminal.interactive ? Math.min(terminal.columns, widestHelp) : plainHelp),
    });
    command.configureHelp({
      subcommandTerm: (child) => [child.name(), ...child.registeredArguments.map(argumentTerm)].join(" "),
    });
  }
  return tape;
}

const examples = `Examples:
  tape demo crash                    see a run survive kill -9
  tape dev                           a server to play with, and its journal live
  tape serve --store sqlite:./tape.db
  tape runs --status running
  tape show <run>

\`tape <command> --help\` has options and examples.`;

const moreHelp = "\nExit codes: see `tape --help`.";

function withChildren(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withChildren)];
}

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

function exitCodeHelp(): string {
  const names = Object.keys(exitCodes) as readonly (keyof typeof exitCodes)[];
  const lines = names.map((name) => `  ${String(exitCodes[name]).padStart(3)}  ${exitCodeMeanings[name]}`);
  return `Exit codes:\n${lines.join("\n")}`;
}
