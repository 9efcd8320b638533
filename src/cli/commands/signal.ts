import { Command } from "commander";
import type { SendSignalRequest } from "../../model/gate.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-code.ts";
import { jsonArgument } from "../json-argument.ts";
import { sessionAddress } from "../session-address.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";

/** `tape signal` */
export function signalCommand(context: CommandContext): Command {
  const { terminal } = context;
  return withAccess(
    new Command("signal")
      .summary("answer a gate that a run waits at")
      .description("answer a gate, so that the run that waits there goes on")
      .argument("<run>", "id of a run, or app/user/session for the run of that session that waits")
      .argument("<gate>", "name of the gate")
      .argument("[answer]", "the answer, as JSON", jsonArgument)
      .addHelpText(
        "after",
        `
A signal that comes before the wait is kept for it. Exit code 1: the gate has its answer already.

Examples:
  tape signal run-0h2m8x3v5k7q9r1t4w6y8z0b approval '{"approved": true}'
  tape signal shop/ada/s-17 approval '{"approved": false, "by": "ada"}'`,
      )
      .action(async (target: string, gateName: string, resolutionJson: string | undefined, options: AccessOptions) => {
        const request = { ...addressOf(target), gateName, resolutionJson };
        const { accepted, runId, runStatus } = await useTape(options, context, (tape) => tape.sendSignal(request));
        if (accepted) {
          terminal.print(`${runId} took the signal and is ${runStatus}`);
          return;
        }
        terminal.note(`tape: ${runId} did not take the signal: the gate ${gateName} has its answer already.`);
        context.exit(exitCodes.no);
      }),
  );
}

/** A run id has no slash, a session has two. */
const addressOf = (target: string): Omit<SendSignalRequest, "gateName"> =>
  target.includes("/") ? sessionAddress(target) : { runId: target };
