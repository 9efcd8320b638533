import { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { type AccessOptions, repeatAccess, useTape, withAccess } from "../tape-access.ts";

interface CancelOptions extends AccessOptions {
  readonly reason?: string;
  readonly undo?: true;
}

/** `tape cancel` */
export function cancelCommand(context: CommandContext): Command {
  return withAccess(
    new Command("cancel")
      .summary("end a run that should not go on")
      .description("end a run that should not go on")
      .argument("<run>", "id of the run")
      .option("--reason <text>", "why, for the journal")
      .option("--undo", "run its compensations, newest first; it ends as FAILED")
      .addHelpText(
        "after",
        `
An agent that still works on the run is refused at its next write. Exit code 1: the run has ended otherwise.

Examples:
  tape cancel run-0h2m8x3v5k7q9r1t4w6y8z0b --reason "ordered twice"
  tape cancel run-0h2m8x3v5k7q9r1t4w6y8z0b --undo`,
      )
      .action(async (runId: string, { reason, undo, ...access }: CancelOptions) => {
        const status = undo === true ? "COMPENSATING" : "CANCELLED";
        const detailJson = reason === undefined ? "" : JSON.stringify({ reason });
        const { run } = await useTape(access, context, (tape) => tape.endRun({ runId, status, detailJson }));
        context.terminal.print(`${run.runId} is ${run.status}`);
        if (run.status !== "COMPENSATING") return;
        context.terminal.note(
          `Its compensations are due now; \`tape show ${runId}${repeatAccess(access)}\` shows how far they are.`,
        );
      }),
  );
}
