import { Command } from "commander";
import { packageVersion } from "../../package-version.ts";
import type { CommandContext } from "../command-context.ts";

/** `tape version` */
export function versionCommand({ terminal }: CommandContext): Command {
  return new Command("version")
    .summary("print the version")
    .description("print the version")
    .option("--json", "with the versions of Node and of the contract, as JSON")
    .addHelpText("after", "\nExample:\n  tape version --json")
    .action(({ json }: { readonly json?: true }) => {
      const version = packageVersion();
      const facts = {
        version,
        node: process.versions.node,
        contract: "tape.v1",
        platform: `${process.platform}-${process.arch}`,
      };
      terminal.print(json === true ? JSON.stringify(facts) : `tape ${version}`);
    });
}
