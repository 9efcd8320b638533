import type { Command } from "commander";
import picocolors from "picocolors";
import { expect, test } from "vitest";
import { exitCodeMeanings, exitCodes } from "../../src/cli/exit-code.ts";
import { program } from "../../src/cli/program.ts";

/** Everything that `--help` says, as one page. */
function reference(): string {
  let written: string[] = [];
  const tape = program({
    terminal: {
      print: (text) => void written.push(text),
      note: () => undefined,
      interactive: false,
      colours: picocolors.createColors(false),
      columns: 80,
    },
    env: {},
    now: () => 0,
    interruption: () => new AbortController().signal,
    exit: () => undefined,
  });
  const section = (command: Command, path: string): string[] => {
    written = [];
    command.outputHelp();
    const help = written.join("\n").replaceAll(/pid-\d+/g, "pid-PID");
    return [
      `## ${path}`,
      "",
      "```text",
      help,
      "```",
      "",
      ...command.commands.flatMap((child) => section(child, `${path} ${child.name()}`)),
    ];
  };
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  return [
    "# Command line",
    "",
    "What `tape --help` and `tape <command> --help` say. This page is made from them: after a change run",
    "`npx vitest run test/cli/reference -u`.",
    "",
    "## Exit codes",
    "",
    "From 64 on they are those of `sysexits.h`. What went wrong is said in one line on standard error; `--verbose` adds where.",
    "",
    "| code | meaning |",
    "|---|---|",
    ...names.map((name) => `| ${exitCodes[name]} | ${exitCodeMeanings[name]} |`),
    "",
    ...section(tape, "tape"),
  ].join("\n");
}

test("docs/cli.md is what --help says (else: npx vitest run test/cli/reference -u)", async () => {
  await expect(reference()).toMatchFileSnapshot("../../docs/cli.md");
});
