import { Command } from "commander";
import { describeConfig, loadConfig } from "../../server/config.ts";
import type { ConfigFlags } from "../../server/settings.ts";
import type { CommandContext } from "../command-context.ts";
import { withServerFlags } from "../server-flags.ts";
import { columns } from "../text/columns.ts";

/** `tape config` */
export function configCommand({ terminal, env }: CommandContext): Command {
  return withServerFlags(new Command("config"))
    .summary("print the settings of a server")
    .description("print the settings that `tape serve` would run with, secrets masked")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  tape config\n  TAPE_STORE=memory: tape config --json\n  tape config --listen 0.0.0.0:7878 --auth token",
    )
    .action(({ json, ...flags }: ConfigFlags) => {
      const settings = describeConfig(loadConfig(flags, env));
      if (json === true) {
        terminal.print(JSON.stringify(settings, undefined, 2));
        return;
      }
      const { dim, bold } = terminal.colours;
      const head = ["variable", "value", "from"].map((text) => ({ text, paint: dim }));
      const rows = settings.map(({ env: variable, value, source }) => [
        variable,
        { text: value === "" ? "-" : value, paint: source === "default" ? dim : bold },
        source,
      ]);
      for (const line of columns([head, ...rows])) terminal.print(line);
    });
}
