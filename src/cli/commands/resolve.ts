import { Argument, Command } from "commander";
import { TapeError } from "../../errors.ts";
import type { Tape } from "../../model/tape.ts";
import type { CommandContext } from "../command-context.ts";
import { jsonArgument } from "../json-argument.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";
import { shortKey } from "../text/advice.ts";

type Outcome = "confirmed" | "failed" | "compensated";

interface ResolveOptions extends AccessOptions {
  readonly result?: string;
}

/** `tape resolve` */
export function resolveCommand(context: CommandContext): Command {
  return withAccess(
    new Command("resolve")
      .summary("settle an effect or obligation that is stuck")
      .description("say what became of an UNKNOWN effect or a STUCK obligation")
      .argument("<run>", "id of the run")
      .argument("<what>", "key of the effect, or number of the obligation, as `tape show` prints them")
      .addArgument(
        new Argument("<outcome>", "confirmed or failed for an effect, compensated for an obligation").choices([
          "confirmed",
          "failed",
          "compensated",
        ]),
      )
      .option("--result <json>", "what the tool answered, or its error if it failed, as JSON", jsonArgument)
      .addHelpText(
        "after",
        `
The first outcome wins: what is settled already stays, and is printed with exit code 1 if you said otherwise.

Examples:
  tape resolve run-0h2m8x3v5k7q9r1t4w6y8z0b decision-1/wire/0 confirmed --result '{"ref": "W-1001"}'
  tape resolve run-0h2m8x3v5k7q9r1t4w6y8z0b decision-1/wire/0 failed --result '"the bank has no such wire"'
  tape resolve run-0h2m8x3v5k7q9r1t4w6y8z0b 12 compensated`,
      )
      .action(async (runId: string, what: string, outcome: Outcome, options: ResolveOptions) => {
        const settle = outcome === "compensated" ? settleObligation : settleEffect;
        const settled = await useTape(options, context, (tape) => settle(tape, runId, what, outcome, options.result));
        const { name, status } = settled;
        if (status.toLowerCase() !== outcome) {
          throw new TapeError("TRANSITION_NOT_ALLOWED", `${name} is ${status} already, and the first outcome wins.`);
        }
        context.terminal.print(`${name} is ${status}`);
      }),
  );
}

interface Settled {
  readonly name: string;
  readonly status: string;
}

async function settleEffect(
  tape: Tape,
  runId: string,
  what: string,
  outcome: Outcome,
  result: string | undefined,
): Promise<Settled> {
  const { found } = await tape.getEffect({ runId, idempotencyKey: what });
  const idempotencyKey = found ? what : `${runId}/${what}`;
  const [resolvedStatus, payload] =
    outcome === "failed"
      ? (["FAILED", { errorJson: result }] as const)
      : (["CONFIRMED", { responseJson: result }] as const);
  const effect = await tape.reconcileEffect({ runId, idempotencyKey, resolvedStatus, ...payload });
  return { name: `effect ${shortKey(runId, effect.idempotencyKey)}`, status: effect.status };
}

async function settleObligation(
  tape: Tape,
  runId: string,
  what: string,
  _outcome: Outcome,
  resultJson: string | undefined,
): Promise<Settled> {
  if (!/^\d{1,15}$/.test(what)) {
    throw new TapeError(
      "ARGUMENT_INVALID",
      `"${what}" is no number of an obligation; an effect is confirmed or failed.`,
    );
  }
  const obligation = await tape.resolveObligation({
    runId,
    obligationSeq: Number(what),
    status: "COMPENSATED",
    resultJson,
  });
  return { name: `obligation ${obligation.seq}`, status: obligation.status };
}
