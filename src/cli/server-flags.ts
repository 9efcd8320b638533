import type { Command } from "commander";
import { listSettings } from "../server/settings.ts";

/** Gives a command a flag for every setting of a server; their values are checked where they are read. */
export function withServerFlags(command: Command): Command {
  for (const { flag, env, fallback, help } of listSettings()) {
    if (flag === null) continue;
    const does = flag.startsWith("--no-") ? `do not ${help}` : help;
    const otherwise = fallback !== "" && flag.includes("<") ? `, default ${fallback}` : "";
    command.option(flag, `${does} (env ${env}${otherwise})`);
  }
  return command;
}
