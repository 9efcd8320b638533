import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { CommandContext } from "../command-context.ts";

/** The version of this package. */
export function packageVersion(): string {
  // `dist/cli/commands` and `src/cli/commands` are equally deep.
  const manifest = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

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
