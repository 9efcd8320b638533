import { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";

/** `tape compact` */
export function compactCommand(context: CommandContext): Command {
  return withAccess(
    new Command("compact")
      .summary("remove the payloads of a run that is over")
      .description("remove the payloads of a run that is over, for good; what happened stays")
      .argument("<run>", "id of the run")
      .addHelpText(
        "after",
        `
Refused while anything of the run is open: an effect that is not settled, an obligation that is due. The server does the
same by itself with TAPE_RETENTION_PAYLOADS.

Examples:
  tape compact run-0h2m8x3v5k7q9r1t4w6y8z0b`,
      )
      .action(async (runId: string, access: AccessOptions) => {
        const done = await useTape(access, context, (tape) => tape.compactRun({ runId }));
        context.terminal.print(
          done.alreadyCompacted
            ? `${runId} has no payloads any more`
            : `${runId}: ${done.bytesSaved} bytes of payload removed, of ${done.decisionsZeroed} decisions and ${done.effectsZeroed} effects among others`,
        );
      }),
  );
}
