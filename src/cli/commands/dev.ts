import { Command } from "commander";
import { loadConfig } from "../../server/config.ts";
import type { CommandContext } from "../command-context.ts";
import { eventLine } from "../text/event-line.ts";
import { startService } from "./serve.ts";

interface DevOptions {
  readonly store?: string;
  readonly listen?: string;
}

/** `tape dev` */
export function devCommand(context: CommandContext): Command {
  const { terminal, env } = context;
  return new Command("dev")
    .summary("run a server here, and watch its journal")
    .description("run a server for this machine and print its journal as it is written")
    .option("--store <url>", "where the journal is kept (env TAPE_STORE, default sqlite:./tape.db)")
    .option("--listen <host:port>", "address of the port (env TAPE_LISTEN, default 127.0.0.1:7878)")
    .addHelpText(
      "after",
      `
Without authentication, and so on this machine only. Other settings of \`tape serve\` have their defaults.

Examples:
  tape dev
  tape dev --store memory:                 nothing is kept`,
    )
    .action(async ({ store, listen }: DevOptions) => {
      const { TAPE_STORE, TAPE_LISTEN, NO_COLOR } = env;
      const flags = { store, listen, log: "pretty", logLevel: "warn" };
      const config = loadConfig(flags, { TAPE_STORE, TAPE_LISTEN, NO_COLOR });
      const stop = context.interruption();
      const startedAt = context.now();
      const service = await startService(config, context);
      terminal.print("");
      const { connectTape } = await import("../../client/connect-tape.ts");
      const tape = connectTape(service.url);
      try {
        for await (const entry of tape.subscribeEvents({ fromTsMs: startedAt }, { signal: stop })) {
          terminal.print(eventLine(entry, terminal.colours));
        }
      } catch (error) {
        if (!stop.aborted) throw error;
      } finally {
        // The client goes first: a server that stops would end its stream with an error.
        await tape.close();
        await service.stop();
      }
    });
}
