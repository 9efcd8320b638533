import { Command } from "commander";
import type { CommandContext } from "../command-context.ts";
import { plural } from "../text/money.ts";
import { loadConfig } from "../../server/config.ts";

interface MigrateOptions {
  readonly store?: string;
  readonly dryRun?: true;
  readonly sql?: true;
  readonly json?: true;
}

/** `tape migrate` */
export function migrateCommand({ terminal, env }: CommandContext): Command {
  return new Command("migrate")
    .summary("make the store, or bring it up to date")
    .description("make the store, or bring it up to date; `tape serve` does so by itself")
    .option("--store <url>", "the store (env TAPE_STORE, default sqlite:./tape.db)")
    .option("--dry-run", "only say what would be done; nothing is written, not even a file")
    .option("--sql", "print the statements too, as a script to be handed to whoever may run it")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  tape migrate --dry-run --sql > tape.sql\n  tape migrate --store sqlite:/var/lib/tape/tape.db",
    )
    .action(async ({ store: url, dryRun, sql, json }: MigrateOptions) => {
      const { store: effectiveUrl } = loadConfig({ store: url }, env);
      const { createStore, maskUrl } = await import("../../store/open-store.ts");
      const store = await createStore(effectiveUrl);
      try {
        const { steps } = await store.migrate({ dryRun: dryRun === true });
        if (json === true) {
          terminal.print(
            JSON.stringify({ store: maskUrl(effectiveUrl), dryRun: dryRun === true, steps }, undefined, 2),
          );
          return;
        }
        // With the statements the whole is a script for psql or sqlite3, so what is not SQL is a comment in it.
        const say = (line: string): void => terminal.print(sql === true ? `-- ${line}` : line);
        for (const { id, name, statements } of steps) {
          say(`${String(id).padStart(4, "0")}  ${name}`);
          if (sql === true) terminal.print(`\n${statements.trim()}\n`);
        }
        const what =
          steps.length === 0
            ? "up to date"
            : `${plural(steps.length, "step")} ${dryRun === true ? "pending" : "applied"}`;
        say(`${maskUrl(effectiveUrl)}: ${what}`);
      } finally {
        await store.close();
      }
    });
}
