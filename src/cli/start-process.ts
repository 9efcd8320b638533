import { readEnvironment } from "../server/config.ts";
import { exitCodes } from "./exit-code.ts";
import { runCli } from "./run-cli.ts";
import { processTerminal } from "./terminal.ts";

/** Runs the command line of this process. */
export async function startProcess(): Promise<void> {
  quietWhenUnread();
  await runCli(process.argv.slice(2), {
    terminal: processTerminal(),
    env: readEnvironment(),
    now: () => Date.now(),
    interruption,
    exit: (code) => {
      process.exitCode = code;
    },
  });
}

/** `tape tail | head`: when the reader of standard output has gone there is nothing left to do, and nothing to say. */
function quietWhenUnread(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit();
    throw error;
  });
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCodes.interrupted);
      controller.abort();
    });
  }
  return controller.signal;
}
