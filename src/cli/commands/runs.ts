import { Command, InvalidArgumentError, Option } from "commander";
import type { ListRunsRequest } from "../../model/inspect.ts";
import type { RunState, RunStatus } from "../../model/run.ts";
import type { Tape } from "../../model/tape.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-code.ts";
import { count, length } from "../number-arguments.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";
import { plural } from "../text/money.ts";
import { runLines } from "../text/run-lines.ts";
import { again } from "../watching.ts";

interface RunsOptions extends AccessOptions {
  readonly status?: readonly RunStatus[];
  readonly app?: string;
  readonly user?: string;
  readonly session?: string;
  readonly tenant?: string;
  readonly since?: number;
  readonly limit: number;
  readonly json?: true;
  readonly watch?: true;
  readonly explain?: true;
}

const statuses = ["runnable", "running", "waiting", "terminal", "failed", "compensating", "stuck", "cancelled"];
const defaultLimit = 50;
const mostOfPage = 1000;

/** `tape runs` */
export function runsCommand(context: CommandContext): Command {
  return withAccess(
    new Command("runs")
      .summary("list runs, newest first")
      .description("list runs, newest first")
      .addOption(
        new Option("--status <status>", `only runs in this state, or several: ${statuses.join(", ")}`).argParser(
          status,
        ),
      )
      .option("--app <name>", "only runs of this app")
      .option("--user <id>", "only runs of this user")
      .option("--session <id>", "only runs of this session")
      .option("--tenant <id>", "only runs of this tenant")
      .option("--since <duration>", "only runs that were started within: 30s, 10m, 2h, 7d", length)
      .option("--limit <count>", "stop after so many runs", count, defaultLimit)
      .option("--watch", "print the list again every two seconds")
      .option("--explain", "also what the list cost: time, index keys and rows read")
      .option("--json", "one JSON document a line")
      .addHelpText(
        "after",
        `
Lists by status or app cost the same however many runs there are. For a user, session or tenant the keys of the list
are looked through, which takes longer the rarer they are in it; a status, an app or --since narrows it.

Examples:
  tape runs
  tape runs --status running --status waiting --app treasury
  tape runs --since 1h --json | jq -r 'select(.status == "FAILED") | .runId'
  tape runs --status stuck --explain`,
      )
      .action(async (options: RunsOptions) => {
        const signal = context.interruption();
        try {
          await useTape(options, context, async (tape) => {
            const list = (): Promise<void> => printRuns(tape, options, context, signal);
            await (options.watch === true ? again(list, context, signal) : list());
          });
        } catch (error) {
          if (!signal.aborted) throw error;
          context.exit(exitCodes.interrupted);
        }
      }),
  );
}

async function printRuns(
  tape: Tape,
  options: RunsOptions,
  context: CommandContext,
  signal: AbortSignal,
): Promise<void> {
  const { terminal, now } = context;
  const begun = performance.now();
  const runs: RunState[] = [];
  let [pages, keysRead, rowsRead] = [0, 0, 0];
  const request = requestOf(options, now());
  for (let pageToken: string | undefined; pageToken !== "" && runs.length < options.limit;) {
    const pageSize = Math.min(mostOfPage, options.limit - runs.length);
    const page = await tape.inspect.listRuns({ ...request, pageSize, pageToken }, { signal });
    runs.push(...page.runs);
    pages += 1;
    keysRead += page.keysRead;
    rowsRead += page.rowsRead;
    pageToken = page.nextPageToken;
  }
  const ms = performance.now() - begun;
  const lines = options.json === true ? runs.map((run) => JSON.stringify(run)) : runLines(runs, terminal, now());
  for (const line of lines) terminal.print(line);
  if (runs.length === 0) terminal.note("There are no such runs.");
  if (options.explain === true) {
    const cost = `${plural(keysRead, "index key")} and ${plural(rowsRead, "row")} read in ${plural(pages, "page")}`;
    terminal.note(`${plural(runs.length, "run")} in ${ms.toFixed(1)} ms: ${cost}`);
  }
}

const requestOf = (
  { status: wanted, app, user, session, tenant, since }: RunsOptions,
  now: number,
): ListRunsRequest => ({
  statuses: wanted,
  appName: app,
  userId: user,
  sessionId: session,
  tenantId: tenant,
  startedFromMs: since === undefined ? undefined : now - since,
});

function status(text: string, before: readonly RunStatus[] = []): readonly RunStatus[] {
  const wanted = text.split(",").map((word) => word.trim().toLowerCase());
  const wrong = wanted.find((word) => !statuses.includes(word));
  if (wrong !== undefined) throw new InvalidArgumentError(`it is one of ${statuses.join(", ")}.`);
  return [...before, ...wanted.map((word) => word.toUpperCase() as RunStatus)];
}
