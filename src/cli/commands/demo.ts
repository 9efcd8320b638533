import { Command, InvalidArgumentError, Option } from "commander";
import { TapeError } from "../../errors.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-code.ts";

/** `tape demo`: the crash demo, and its programs one by one for those who want to kill them by hand. */
export function demoCommand(context: CommandContext): Command {
  return new Command("demo")
    .description("see a run survive kill -9")
    .addCommand(crashCommand(context), { isDefault: true })
    .addCommand(bankCommand(context))
    .addCommand(agentCommand(context))
    .addCommand(dispatcherCommand(context));
}

interface CrashOptions {
  readonly store?: string;
  readonly spareDatabase?: true;
  readonly everyStep?: true;
  readonly only: string;
  readonly parallel: number;
  readonly keep?: true;
  readonly json?: true;
}

function crashCommand(context: CommandContext): Command {
  return new Command("crash")
    .description(
      "kill agent, dispatcher and server (and the database) while they move money, and prove that it moved once",
    )
    .option("--store <url>", "where the journal is kept (default: a SQLite file that is removed afterwards)")
    .option("--spare-database", "with a PostgreSQL store: do not kill the database server as well")
    .option("--every-step", "kill every process at every step, one story for each, and print the table")
    .option("--only <text>", "with --every-step: only the kills whose description has this text", "")
    .option("--parallel <count>", "with --every-step: stories at the same time", wholeNumber, 3)
    .option("--keep", "leave the bank's ledger, the model's log and the journal behind")
    .option("--json", "print one JSON document at the end")
    .addHelpText(
      "after",
      `
Exit codes: 0 everything was proved, 1 it was not, 130 interrupted.

Examples:
  tape demo crash
  tape demo crash --every-step
  tape demo crash --every-step --only "server, during"
  tape demo crash --every-step --store postgres://postgres@127.0.0.1:5433/postgres`,
    )
    .action(async (options: CrashOptions) => {
      const { runCrashDemo, runEveryStep } = await import("../../demo/crash-demo.ts");
      if (options.store !== undefined) await mustOutliveServer(options.store);
      const signal = context.interruption();
      const { print, note, colours } = context.terminal;
      const asked = {
        storeUrl: options.store ?? null,
        spareDatabase: options.spareDatabase ?? false,
        keep: options.keep ?? false,
        json: options.json ?? false,
        // Settings meant for the user's own server are not for the demo's; that a store may be used at all is for both.
        env: Object.fromEntries(
          Object.entries(context.env).filter(
            ([name]) => !name.startsWith("TAPE_") || name === "TAPE_SPANNER_EXPERIMENTAL",
          ),
        ),
        signal,
        write: print,
        colours,
      };
      const { only, parallel } = options;
      try {
        const proved = await (options.everyStep === undefined
          ? runCrashDemo(asked)
          : runEveryStep({ ...asked, only, parallel, progress: note }));
        context.exit(proved ? exitCodes.ok : exitCodes.no);
      } catch (error) {
        if (!signal.aborted) throw error;
        context.exit(exitCodes.interrupted);
      }
    });
}

function bankCommand(context: CommandContext): Command {
  return new Command("bank")
    .description("the demo's bank: a ledger file behind HTTP")
    .requiredOption("--ledger <file>", "the bank's ledger, one booking a line")
    .option("--port <port>", "port on 127.0.0.1; 0 takes any free one", wholeNumber, 0)
    .option("--lose-first-wire-answer", "book the first wire and break the connection")
    .action(async (options: { ledger: string; port: number; loseFirstWireAnswer?: true }) => {
      const { runBankProgram } = await import("../../demo/programs.ts");
      await runBankProgram(options, context.terminal.print, context.interruption());
    });
}

interface AgentOptions extends DispatcherOptions {
  readonly invocation: string;
  readonly modelLog: string;
}

function agentCommand(context: CommandContext): Command {
  return withProgramOptions(new Command("agent"))
    .description("the demo's treasury agent: begins the run, or takes it over")
    .option("--invocation <name>", "what the run is called; the same name is the same run", "close-of-day")
    .requiredOption("--model-log <file>", "where the scripted model writes down every call")
    .action(async (options: AgentOptions) => {
      const { runAgentProgram } = await import("../../demo/programs.ts");
      await runAgentProgram(options, context.terminal.print);
    });
}

interface DispatcherOptions {
  readonly server: string;
  readonly bank: string;
  readonly connector: string;
  readonly name: string;
  readonly watched?: true;
}

function dispatcherCommand(context: CommandContext): Command {
  return withProgramOptions(new Command("dispatcher"))
    .description("the demo's dispatcher: sends wires that agents ordered, looks up those whose answer was lost")
    .action(async (options: DispatcherOptions) => {
      const { runDispatcherProgram } = await import("../../demo/programs.ts");
      await runDispatcherProgram(options, context.terminal.print, context.interruption());
    });
}

function withProgramOptions(command: Command): Command {
  return command
    .requiredOption("--bank <url>", "where the demo's bank listens")
    .option("--server <url>", "the Tape server", "tape://127.0.0.1:7878")
    .option("--connector <name>", "which outbox the wires go through", "wire")
    .option("--name <name>", "who holds leases and claims", `pid-${process.pid}`)
    .addOption(new Option("--watched", "wait for the parent process at every call").hideHelp());
}

/** A journal that dies with the server proves nothing here, and one that cannot be used is better found before. */
async function mustOutliveServer(url: string): Promise<void> {
  const { createStore } = await import("../../store/open-store.ts");
  const store = await createStore(url);
  try {
    if (!store.capabilities.durable) {
      throw new TapeError(
        "CONFIG_INVALID",
        "--store: this store forgets all when the server is killed; name a durable one",
      );
    }
    await store.migrate({ dryRun: true });
  } finally {
    await store.close();
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("not a whole number.");
  return value;
}
