import { Command } from "commander";
import type { AttentionItem } from "../../model/inspect.ts";
import type { Tape } from "../../model/tape.ts";
import type { CommandContext } from "../command-context.ts";
import { count, length } from "../number-arguments.ts";
import { type AccessOptions, repeatAccess, useTape, withAccess } from "../tape-access.ts";
import { adviseOnItem, attentionJson, attentionLines } from "../text/attention-text.ts";

interface AttentionOptions extends AccessOptions {
  readonly tenant?: string;
  readonly recoverableFor?: number;
  readonly limit: number;
  readonly json?: true;
}

const defaultLimit = 100;
const mostOfPage = 1000;

/** `tape attention` */
export function attentionCommand(context: CommandContext): Command {
  const { terminal, now } = context;
  return withAccess(
    new Command("attention")
      .summary("list what needs a person, and the commands that mend it")
      .description("list what needs a person, longest waiting first, each with the commands that mend it")
      .option("--tenant <id>", "only of this tenant")
      .option(
        "--recoverable-for <duration>",
        "how long a run may wait for an agent that resumes it; default: 60s",
        length,
      )
      .option("--limit <count>", "stop after so many", count, defaultLimit)
      .option("--json", "one JSON document a line, with the commands")
      .addHelpText(
        "after",
        `
Listed are effects that may have happened (UNKNOWN), runs and obligations that are STUCK, and runs that nobody resumes.
Exit code 0: nothing needs you. 1: something does. 2: something is STUCK.

Examples:
  tape attention
  tape attention --json | jq -r '.commands[]'
  tape attention > /dev/null || page-somebody`,
      )
      .action(async (options: AttentionOptions) => {
        const items = await useTape(options, context, (tape) => read(tape, options));
        const access = repeatAccess(options);
        for (const item of items) {
          const advice = adviseOnItem(item, now(), access);
          const lines =
            options.json === true ? [attentionJson(item, advice)] : attentionLines(item, advice, terminal, now());
          for (const line of lines) terminal.print(line);
        }
        if (items.length === 0) terminal.note("Nothing needs you.");
        context.exit(severity(items));
      }),
  );
}

async function read(tape: Tape, { tenant, recoverableFor, limit }: AttentionOptions): Promise<AttentionItem[]> {
  const items: AttentionItem[] = [];
  const request = { tenantId: tenant, recoverableForMs: recoverableFor };
  for (let pageToken: string | undefined; pageToken !== "" && items.length < limit;) {
    const pageSize = Math.min(mostOfPage, limit - items.length);
    const page = await tape.inspect.listAttention({ ...request, pageSize, pageToken });
    items.push(...page.items);
    pageToken = page.nextPageToken;
  }
  return items;
}

function severity(items: readonly AttentionItem[]): number {
  if (items.some(({ kind }) => kind === "RUN_STUCK" || kind === "OBLIGATION_STUCK")) return 2;
  return items.length > 0 ? 1 : 0;
}
