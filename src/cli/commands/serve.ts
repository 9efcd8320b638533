import { Command } from "commander";
import { packageVersion } from "../../package-version.ts";
import { loadConfig, type ServerConfig } from "../../server/config.ts";
import type { ConfigFlags } from "../../server/settings.ts";
import type { CommandContext } from "../command-context.ts";
import { withServerFlags } from "../server-flags.ts";
import type { Service } from "../../server/serve.ts";
import { readyText } from "../text/ready-text.ts";

/** `tape serve` */
export function serveCommand(context: CommandContext): Command {
  return withServerFlags(new Command("serve"))
    .summary("run a server")
    .description("run a server: gRPC, gRPC-Web and Connect (JSON) on one port")
    .addHelpText(
      "after",
      `
A flag wins over its variable. SIGTERM and Ctrl-C stop it gracefully, a second one at once. The log goes to standard error.

Examples:
  tape serve
  tape serve --store sqlite:/var/lib/tape/tape.db --listen 127.0.0.1:9000
  TAPE_TOKENS=acme:s3cr3t-of-acme tape serve --auth token --listen 0.0.0.0:7878
  tape serve --auth google --auth-audience https://tape.example.com --auth-allow agent@acme.iam.gserviceaccount.com
  tape serve --store memory: --listen 127.0.0.1:0      for a test: any free port, nothing kept`,
    )
    .action(async (flags: ConfigFlags) => {
      const config = loadConfig(flags, context.env);
      const service = await startService(config, context, context.interruption());
      await service.stopped;
    });
}

/** Starts a server, which stops when the signal fires, and says where it listens. */
export async function startService(
  config: ServerConfig,
  { terminal }: CommandContext,
  signal?: AbortSignal,
): Promise<Service> {
  const [{ serve }, { createLogger }, { maskUrl }] = await Promise.all([
    import("../../server/serve.ts"),
    import("../../server/logger.ts"),
    import("../../store/open-store.ts"),
  ]);
  const logger = createLogger(config.log);
  // A person reads below what the log would say about the start.
  if (terminal.interactive && config.log.level === "info") logger.level = "warn";
  const service = await serve(config, { signal, logger, version: packageVersion() });
  logger.level = config.log.level;
  const { url } = service;
  const ready = { version: packageVersion(), url, store: maskUrl(config.store), auth: config.auth };
  for (const line of readyText(ready, terminal)) terminal.print(line);
  return service;
}
