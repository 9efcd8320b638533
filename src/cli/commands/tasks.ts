import { Command, Option } from "commander";
import type { Task, TaskStatus } from "../../model/reaction.ts";
import type { CommandContext } from "../command-context.ts";
import { count } from "../number-arguments.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";
import { printable, type Terminal } from "../terminal.ts";
import { columns } from "../text/columns.ts";
import { duration } from "../text/duration.ts";
import { parsedJson } from "../text/fields.ts";
import { plural } from "../text/money.ts";

interface ListOptions extends AccessOptions {
  readonly reaction?: string;
  readonly status?: string;
  readonly limit: number;
  readonly json?: true;
}

const defaultLimit = 100;

/** `tape tasks` */
export function tasksCommand(context: CommandContext): Command {
  return new Command("tasks")
    .summary("list the tasks that reactions have made")
    .description("list the tasks that reactions have made")
    .addCommand(listCommand(context));
}

function listCommand(context: CommandContext): Command {
  const { terminal, now } = context;
  return withAccess(
    new Command("list")
      .summary("list tasks")
      .description("list tasks, of one reaction or in one state")
      .option("--reaction <id>", "only of this reaction")
      .addOption(
        new Option("--status <status>", "only in this state; dlq: given up").choices([
          "pending",
          "claimed",
          "done",
          "failed",
          "dlq",
        ]),
      )
      .option("--limit <count>", "stop after so many, at most 1000", count, defaultLimit)
      .option("--json", "one JSON document a line")
      .addHelpText(
        "after",
        "\nExamples:\n  tape tasks list --status dlq\n  tape tasks list --reaction page-on-unknown --json",
      ),
  ).action(async (options: ListOptions) => {
    const { reaction: reactionId, status, limit } = options;
    const request = { reactionId, status: status?.toUpperCase() as TaskStatus | undefined, limit };
    const { tasks } = await useTape(options, context, (tape) => tape.listTasks(request));
    const lines = options.json === true ? tasks.map(taskJson) : taskLines(tasks, terminal, now());
    for (const line of lines) terminal.print(line);
    if (tasks.length === 0) terminal.note("There are no such tasks.");
  });
}

function taskLines(tasks: readonly Task[], { colours, columns: width }: Terminal, now: number): string[] {
  if (tasks.length === 0) return [];
  const head = ["status", "task", "reaction", "made", "subject", ""].map((text) => ({ text, paint: colours.dim }));
  const rows = tasks.map((task) => [
    task.status,
    printable(task.taskId),
    printable(task.reactionId),
    `${duration(now - task.createdAtMs)} ago`,
    printable(task.subject),
    printable([plural(task.attempts, "attempt"), task.lastError].filter((part) => part !== "").join(": ")),
  ]);
  return columns([head, ...rows], width);
}

const taskJson = ({ payloadJson, ...task }: Task): string =>
  JSON.stringify({ ...task, payload: parsedJson(payloadJson) });
