import { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { readPayloads, readRun } from "../run-report.ts";
import { type AccessOptions, repeatAccess, useTape, withAccess } from "../tape-access.ts";
import { payloadText } from "../text/payload-text.ts";
import { runJson } from "../text/run-json.ts";
import { runText } from "../text/run-text.ts";

interface ShowOptions extends AccessOptions {
  readonly json?: true;
  readonly all?: true;
  readonly payloads?: true;
}

const timelineLines = 100;

/** `tape show` */
export function showCommand(context: CommandContext): Command {
  const { terminal, now } = context;
  return withAccess(
    new Command("show")
      .summary("print a run, and what it needs from you")
      .description("print a run: timeline, effects, obligations, gates, timers, budget, and what needs you")
      .argument("<run>", "id of the run")
      .option("--all", `the whole timeline, not only its last ${timelineLines} entries`)
      .option("--payloads", "also what the model and the tools were asked and said")
      .option("--json", "one JSON document, always with the whole timeline")
      .addHelpText(
        "after",
        `
Examples:
  tape show run-0h2m8x3v5k7q9r1t4w6y8z0b
  tape show run-0h2m8x3v5k7q9r1t4w6y8z0b --json | jq '.effects[] | select(.status == "UNKNOWN")'
  tape runs --status waiting               finds run ids`,
      )
      .action(async (runId: string, options: ShowOptions) => {
        const [report, payloads] = await useTape(options, context, async (tape) => {
          const read = await readRun(tape, runId);
          return [read, options.payloads === true ? await readPayloads(tape, read) : undefined] as const;
        });
        if (options.json === true) {
          terminal.print(JSON.stringify(runJson(report, payloads), undefined, 2));
          return;
        }
        const { colours, columns } = terminal;
        const lines = runText(report, {
          colours,
          columns,
          now: now(),
          timelineLines: options.all === true ? Number.POSITIVE_INFINITY : timelineLines,
          access: repeatAccess(options),
        });
        if (payloads !== undefined) lines.push(...payloadText(report.run.runId, payloads, colours));
        for (const line of lines) terminal.print(line);
      }),
  );
}
