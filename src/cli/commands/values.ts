import { Command } from "commander";
import type { WatchedValue } from "../../model/call.ts";
import type { ValueRecord } from "../../model/value.ts";
import type { CommandContext } from "../command-context.ts";
import { exitCodes } from "../exit-code.ts";
import { jsonArgument } from "../json-argument.ts";
import { count, whole } from "../number-arguments.ts";
import { type AccessOptions, useTape, withAccess } from "../tape-access.ts";
import { printable } from "../terminal.ts";
import { parsedJson } from "../text/fields.ts";
import { timeOfDay } from "../text/duration.ts";

interface JsonOption extends AccessOptions {
  readonly json?: true;
}

interface SetOptions extends AccessOptions {
  readonly ifVersion?: number;
  readonly writer?: string;
}

interface WatchOptions extends JsonOption {
  readonly from?: number;
  readonly limit?: number;
}

/** `tape values` */
export function valuesCommand(context: CommandContext): Command {
  return new Command("values")
    .summary("read, write or follow shared values")
    .description("read, write or follow the versioned values that agents share")
    .addCommand(getCommand(context))
    .addCommand(setCommand(context))
    .addCommand(watchCommand(context));
}

const named = (name: string): Command =>
  new Command(name).argument("<namespace>", "where the value is").argument("<key>", "its name there");

function getCommand(context: CommandContext): Command {
  const { terminal } = context;
  return withAccess(
    named("get")
      .summary("print a value")
      .description("print a value as it was written, its version on standard error")
      .option("--json", "as one JSON document with version, time and writer")
      .addHelpText("after", "\nExit code 1: there is no such value.\n\nExample:\n  tape values get limits daily"),
  ).action(async (namespace: string, key: string, options: JsonOption) => {
    const { value } = await useTape(options, context, (tape) => tape.getValue({ namespace, key }));
    if (value === undefined || value.deleted) {
      terminal.note(`tape: there is no value ${printable(`${namespace}/${key}`)}.`);
      context.exit(exitCodes.no);
    } else if (options.json === true) {
      terminal.print(JSON.stringify(valueJson(value), undefined, 2));
    } else {
      terminal.print(value.valueJson);
      terminal.note(nameOf(value));
    }
  });
}

function setCommand(context: CommandContext): Command {
  return withAccess(
    named("set")
      .argument("<value>", "as JSON", jsonArgument)
      .summary("write a value")
      .description("write a value; everyone who follows it gets it")
      .option("--if-version <number>", "only if the value is at this version; 0: only if there is none", (text) =>
        whole(text),
      )
      .option("--writer <name>", "who says so")
      .addHelpText(
        "after",
        `
Exit code 1: the value is at another version.

Examples:
  tape values set limits daily 1000
  tape values set limits daily '{"usd": 900}' --if-version 3`,
      ),
  ).action(async (namespace: string, key: string, valueJson: string, options: SetOptions) => {
    const { ifVersion = -1, writer } = options;
    const request = { namespace, key, valueJson, ifVersion, writer };
    const value = await useTape(options, context, (tape) => tape.writeValue(request));
    context.terminal.print(nameOf(value));
  });
}

function watchCommand(context: CommandContext): Command {
  const { terminal } = context;
  return withAccess(
    named("watch")
      .summary("print a value and every change of it")
      .description("print a value and every change of it, no version skipped")
      .option("--from <version>", "every version behind this one; default: the current value first", (text) =>
        whole(text),
      )
      .option("--limit <count>", "stop after so many", count)
      .option("--json", "one JSON document a line")
      .addHelpText("after", "\nExample:\n  tape values watch limits daily"),
  ).action(async (namespace: string, key: string, options: WatchOptions) => {
    const { from: fromVersion, limit = Number.POSITIVE_INFINITY } = options;
    const signal = context.interruption();
    const write = options.json === true ? changeJson : changeLine;
    try {
      await useTape(options, context, async (tape) => {
        let written = 0;
        for await (const change of tape.watchValue({ namespace, key, fromVersion }, { signal })) {
          if (change.gap) terminal.note("Versions in between are no longer kept.");
          terminal.print(write(change));
          written += 1;
          if (written >= limit) return;
        }
      });
    } catch (error) {
      if (!signal.aborted) throw error;
      context.exit(exitCodes.interrupted);
    }
  });
}

const nameOf = ({ namespace, key, version }: ValueRecord): string =>
  `${printable(`${namespace}/${key}`)} is at version ${version}`;

function changeLine({ value }: WatchedValue): string {
  const what = value.deleted ? "deleted" : printable(value.valueJson);
  return `${timeOfDay(value.tsMs)}  ${value.version}  ${what}`;
}

const changeJson = ({ value, prevVersion, prevValueJson }: WatchedValue): string =>
  JSON.stringify({ ...valueJson(value), previous: { version: prevVersion, value: parsedJson(prevValueJson) } });

const valueJson = ({ valueJson: text, ...value }: ValueRecord): object => ({ ...value, value: parsedJson(text) });
