import { type Command, Option } from "commander";
import { TapeError } from "../errors.ts";
import type { ClientOptions } from "../client/client-options.ts";
import type { Tape } from "../model/tape.ts";
import type { CommandContext } from "./command-context.ts";

/** Which Tape a command works on, as the command line says it. */
export interface AccessOptions {
  readonly server?: string;
  readonly token?: string;
  readonly auth?: "google";
  readonly audience?: string;
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
      new Option(
        "--auth <how>",
        "instead of a token: google sends ID tokens of your credentials (env TAPE_CLIENT_AUTH)",
      )
        .choices(["google"])
        .conflicts("token"),
    )
    .option("--audience <url>", "what they are for (env TAPE_CLIENT_AUDIENCE, default https:// and the server's host)")
    .addOption(
      new Option("--store <url>", "open this store here instead of asking a server").conflicts([
        "server",
        "token",
        "auth",
        "audience",
      ]),
    );
}

/** Opens the Tape of the options, which is the caller's to close. */
export function openAccess(options: AccessOptions, { env }: CommandContext): Promise<Tape> {
  return options.store === undefined ? connect(options, env) : openStore(options.store);
}

/** Opens the Tape of the options, hands it to `use`, and closes it whatever happens. */
export async function useTape<T>(
  options: AccessOptions,
  context: CommandContext,
  use: (tape: Tape) => Promise<T>,
): Promise<T> {
  const tape = await openAccess(options, context);
  try {
    return await use(tape);
  } catch (error) {
    throw error instanceof TapeError && error.reason === "RUN_NOT_FOUND" ? withWayOn(error, options) : error;
  } finally {
    await tape.close();
  }
}

function withWayOn(error: TapeError, options: AccessOptions): TapeError {
  const way = `\`tape runs${repeatAccess(options)}\` lists the runs there are.`;
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
  const credentials = credentialsOf(options, env);
  try {
    // Two attempts: a restart is ridden out by streams that were open; a server that is not there should be said at once.
    return connectTape(url, { ...credentials, timeoutMs, retries: { maxAttempts: 2 } });
  } catch (cause) {
    if (!(cause instanceof TapeError)) throw cause;
    const [flag, variable, name] = settings.find(([, , option]) => option === cause.ids["field"]) ?? settings[0];
    const setting = options[name] === undefined ? variable : flag;
    throw new TapeError("CONFIG_INVALID", `${setting}: ${cause.message}`, { cause });
  }
}

/** What the command line says goes before the environment; within one of them a token goes before a way to get one. */
function credentialsOf(options: AccessOptions, env: CommandContext["env"]): ClientOptions {
  const audience = options.audience ?? (env["TAPE_CLIENT_AUDIENCE"] || undefined);
  if (options.auth !== undefined) return { auth: options.auth, audience };
  const token = options.token ?? (env["TAPE_TOKEN"] || undefined);
  if (token !== undefined) return { token };
  const auth = env["TAPE_CLIENT_AUTH"] ?? "";
  if (auth === "") return {};
  if (auth === "google") return { auth, audience };
  throw new TapeError("CONFIG_INVALID", `TAPE_CLIENT_AUTH: "${auth}" is not google, the one way there is`);
}

/** Which flag, or else which variable, each option of a client comes from. */
const settings = [
  ["--server", "TAPE_SERVER", "server"],
  ["--auth", "TAPE_CLIENT_AUTH", "auth"],
  ["--audience", "TAPE_CLIENT_AUDIENCE", "audience"],
] as const;

/** The access options of a command as given, to repeat them in a command that is suggested. A secret is left out. */
export function repeatAccess({ server, auth, store }: AccessOptions): string {
  const way = auth === undefined ? "" : ` --auth ${auth}`;
  if (server !== undefined || way !== "") return `${server === undefined ? "" : ` --server ${server}`}${way}`;
  return store === undefined || store.includes("@") ? "" : ` --store ${store}`;
}
