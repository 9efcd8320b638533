import { type Command, Option } from "commander";
import { TapeError } from "../errors.ts";
import type { Tape } from "../model/tape.ts";
import type { CommandContext } from "./command-context.ts";

/** Which Tape a command works on, as the command line says it. */
export interface AccessOptions {
  readonly server?: string;
  readonly token?: string;
  readonly store?: string;
}

const defaultServer = "tape://127.0.0.1:7878";
// A person waits: the library's default of half a minute is for agents.
const timeoutMs = 10_000;

/** Gives a command the options that say which Tape it works on. */
export function withAccess(command: Command): Command {
  return command
    .option("--server <url>", `the Tape server (env TAPE_SERVER, default ${defaultServer})`)
    .option("--token <token>", "its bearer token; better in TAPE_TOKEN, where other users do not see it")
    .addOption(
      new Option("--store <url>", "open this store here instead of asking a server").conflicts(["server", "token"]),
    );
}

/** Opens the Tape of the options, hands it to `use`, and closes it whatever happens. */
export async function useTape<T>(
  options: AccessOptions,
  { env }: CommandContext,
  use: (tape: Tape) => Promise<T>,
): Promise<T> {
  const tape = options.store === undefined ? await connect(options, env) : await openStore(options.store);
  try {
    return await use(tape);
  } catch (error) {
    throw error instanceof TapeError && error.reason === "RUN_NOT_FOUND" ? withWayOn(error, options) : error;
  } finally {
    await tape.close();
  }
}

function withWayOn(error: TapeError, options: AccessOptions): TapeError {
  const way = `\`tape tail --from start --kind run${repeatAccess(options)}\` lists the runs there are.`;
  return new TapeError("RUN_NOT_FOUND", `${error.message.replace(/\.$/, "")}. ${way}`, {
    ids: error.ids,
    cause: error,
  });
}

/** Neither makes nor changes the store, and does nothing by itself: timers and expired claims are a server's business. */
async function openStore(url: string): Promise<Tape> {
  const { openTape } = await import("../open-tape.ts");
  return openTape(url, { migrate: false, reactors: false });
}

async function connect(options: AccessOptions, env: CommandContext["env"]): Promise<Tape> {
  const { connectTape } = await import("../client/connect-tape.ts");
  const url = options.server ?? (env["TAPE_SERVER"] || defaultServer);
  const token = options.token ?? (env["TAPE_TOKEN"] || undefined);
  try {
    // Two attempts: a restart is ridden out by streams that were open; a server that is not there should be said at once.
    return connectTape(url, { token, timeoutMs, retries: { maxAttempts: 2 } });
  } catch (cause) {
    if (!(cause instanceof TapeError)) throw cause;
    const setting = options.server === undefined ? "TAPE_SERVER" : "--server";
    throw new TapeError("CONFIG_INVALID", `${setting}: ${cause.message}`, { cause });
  }
}

/** The access options of a command as given, to repeat them in a command that is suggested. A secret is left out. */
export function repeatAccess({ server, store }: AccessOptions): string {
  if (server !== undefined) return ` --server ${server}`;
  return store === undefined || store.includes("@") ? "" : ` --store ${store}`;
}
