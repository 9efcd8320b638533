import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { Command } from "commander";
import { TapeError } from "../../errors.ts";
import type { Reaction } from "../../model/reaction.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-code.ts";
import { reactionOf } from "../reaction-file.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";
import { printable, type Terminal } from "../terminal.ts";
import { columns } from "../text/columns.ts";

interface ListOptions extends AccessOptions {
  readonly subject?: string;
  readonly json?: true;
}

/** `tape reactions` */
export function reactionsCommand(context: CommandContext): Command {
  return new Command("reactions")
    .summary("list, register or remove reactions")
    .description("list, register or remove reactions: standing orders that make tasks out of entries")
    .addCommand(listCommand(context))
    .addCommand(registerCommand(context))
    .addCommand(removeCommand(context));
}

function listCommand(context: CommandContext): Command {
  const { terminal } = context;
  return withAccess(
    new Command("list")
      .summary("list reactions")
      .description("list reactions")
      .option("--subject <pattern>", "only those that have this subject pattern")
      .option("--json", "one JSON document a line")
      .addHelpText("after", "\nExample:\n  tape reactions list"),
  ).action(async (options: ListOptions) => {
    const request = { subjectPattern: options.subject };
    const { reactions } = await useTape(options, context, (tape) => tape.listReactions(request));
    const lines =
      options.json === true ? reactions.map((one) => JSON.stringify(one)) : reactionLines(reactions, terminal);
    for (const line of lines) terminal.print(line);
    if (reactions.length === 0) terminal.note("There are no such reactions.");
  });
}

function registerCommand(context: CommandContext): Command {
  return withAccess(
    new Command("register")
      .summary("register a reaction, or change it")
      .description("register a reaction that a JSON file describes, or change the one of that id")
      .argument("<file>", "the JSON file; - for standard input")
      .addHelpText(
        "after",
        `
The fields are those of the message Reaction, in snake_case or camelCase:
  {
    "reaction_id": "page-on-unknown",
    "subject_pattern": "/tape/effect/unknown/**",
    "predicate_cel": "payload.connector == 'bank'",
    "handler_kind": "TASK"
  }

Example:
  tape reactions register page-on-unknown.json`,
      ),
  ).action(async (file: string, options: AccessOptions) => {
    const reaction = reactionOf(await contentOf(file));
    const { reactionId } = await useTape(options, context, (tape) => tape.registerReaction(reaction));
    context.terminal.print(`reaction ${printable(reactionId)} is registered`);
  });
}

function removeCommand(context: CommandContext): Command {
  return withAccess(
    new Command("remove")
      .summary("remove a reaction")
      .description("remove a reaction; the tasks that it has made stay")
      .argument("<id>", "its id")
      .addHelpText(
        "after",
        "\nExit code 1: there is no such reaction.\n\nExample:\n  tape reactions remove page-on-unknown",
      ),
  ).action(async (reactionId: string, options: AccessOptions) => {
    const { deregistered } = await useTape(options, context, (tape) => tape.deregisterReaction({ reactionId }));
    if (deregistered) {
      context.terminal.print(`reaction ${printable(reactionId)} is removed`);
      return;
    }
    context.terminal.note(`tape: there is no reaction ${printable(reactionId)}.`);
    context.exit(exitCodes.no);
  });
}

async function contentOf(file: string): Promise<string> {
  try {
    return await (file === "-" ? readAll(process.stdin) : readFile(file, "utf8"));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TapeError("ARGUMENT_INVALID", `${file} cannot be read: ${why}`, { cause });
  }
}

function reactionLines(reactions: readonly Reaction[], { colours, columns: width }: Terminal): string[] {
  if (reactions.length === 0) return [];
  const head = ["reaction", "makes", "of subjects", "that hold"].map((text) => ({ text, paint: colours.dim }));
  const rows = reactions.map((reaction) => [
    printable(reaction.reactionId),
    printable(handlerOf(reaction)),
    printable(reaction.subjectPattern === "" ? "/**" : reaction.subjectPattern),
    printable(reaction.predicateCel ?? ""),
  ]);
  return columns([head, ...rows], width);
}

function handlerOf({ handlerKind, agentApp = "", publishTarget = "" }: Reaction): string {
  const target = handlerKind === "AGENT" ? agentApp : handlerKind === "PUBLISH" ? publishTarget : "";
  return target === "" ? handlerKind.toLowerCase() : `${handlerKind.toLowerCase()} ${target}`;
}
