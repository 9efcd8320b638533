import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createDataFolder, type DataFolderOptions } from "./data-folder.ts";
import { newestPostgres, type PostgresInstallation } from "./find-postgres.ts";
import { freePort } from "./loopback-port.ts";
import { type ServerAccount, serverAccount } from "./server-account.ts";
import { ServerFolder } from "./server-folder.ts";
import { ServerProcess } from "./server-process.ts";

/** How a test wants its server; everything has a default. */
export interface PostgresOptions extends Partial<DataFolderOptions> {
  /** Default: the newest. */
  readonly installation?: PostgresInstallation;
  /** Lines for postgresql.conf, over {@link defaults}. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The whole of pg_hba.conf; default: everybody is trusted. */
  readonly hba?: string;
  /** More arguments for `initdb`. */
  readonly initdb?: readonly string[];
  /** Called before the first start; what it puts into the folder is given to the server's account. */
  readonly prepare?: (dataFolder: string) => Promise<void>;
}

/** The parts of a connection URL that a test may choose. */
export interface UrlParts {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** Default: `tcp`, which is 127.0.0.1. */
  readonly host?: "tcp" | "socket";
  readonly params?: Readonly<Record<string, string>>;
}

/**
 * Without fsync, which makes tests several times faster: killing processes loses nothing that the operating system has
 * been given, and no test pulls the plug. A measurement of commits must set it to `on`.
 */
const defaults: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  max_connections: "200",
  shared_buffers: "64MB",
  fsync: "off",
  full_page_writes: "off",
};

/** A PostgreSQL server of one test, in a temporary folder, on a free loopback port. It dies with the process. */
export class PostgresServer implements AsyncDisposable {
  readonly installation: PostgresInstallation;
  readonly port: number;
  readonly #folder: ServerFolder;
  readonly #account: ServerAccount;
  #process: ServerProcess | undefined;
  #killed = false;

  private constructor(installation: PostgresInstallation, port: number) {
    this.installation = installation;
    this.port = port;
    this.#account = serverAccount(installation.bin);
    this.#folder = new ServerFolder("tape-postgres-", this.#account);
  }

  /** A server that answers. */
  static async open(options: PostgresOptions): Promise<PostgresServer> {
    const { installation = newestPostgres() } = options;
    const server = new PostgresServer(installation, await freePort());
    const place = { port: String(server.port), unix_socket_directories: server.socketFolder };
    try {
      await createDataFolder(installation, server.dataFolder, {
        ...options,
        settings: { ...defaults, ...place, ...options.settings },
      });
      await server.start();
      return server;
    } catch (error) {
      await server.#folder.remove();
      throw error;
    }
  }

  /** Major version. */
  get version(): number {
    return this.installation.version;
  }

  get socketFolder(): string {
    return this.#folder.path;
  }

  get dataFolder(): string {
    return join(this.#folder.path, "data");
  }

  /** The postmaster's; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#process?.running === true ? this.#process.pid : undefined;
  }

  /** Everything the server has logged. */
  log(): string {
    return readFileSync(this.#logFile, "utf8");
  }

  url({ user = "postgres", password, database = "postgres", host = "tcp", params = {} }: UrlParts = {}): string {
    const secret = password === undefined ? "" : `:${encodeURIComponent(password)}`;
    const socket = host === "socket" ? { host: this.socketFolder, port: String(this.port) } : {};
    const query = Object.entries({ ...socket, ...params }).map(
      ([name, value]) => `${name}=${encodeURIComponent(value)}`,
    );
    const place = host === "socket" ? "" : `127.0.0.1:${this.port}`;
    const path = `${encodeURIComponent(user)}${secret}@${place}/${encodeURIComponent(database)}`;
    return `postgres://${path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
  }

  /** Starts it after {@link kill}, on the same port with the same data; resolves when it answers. Idempotent. */
  async start(): Promise<void> {
    if (this.pid !== undefined) return;
    const started = new ServerProcess({
      program: join(this.installation.bin, "postgres"),
      args: ["-D", this.dataFolder],
      account: this.#account,
      folder: this.#folder.path,
      logFile: this.#logFile,
    });
    this.#process = started;
    this.#folder.guard(started.pid);
    try {
      await started.ready(this.socketFolder, this.port);
    } catch (error) {
      await this.#end("SIGQUIT");
      throw error;
    }
    this.#killed = false;
  }

  /** SIGKILL of the postmaster; resolves when its children have noticed and are gone too. */
  async kill(): Promise<void> {
    this.#killed = true;
    await this.#end("SIGKILL");
  }

  /** Ends it without waiting for its clients, and removes the folder. Idempotent. */
  async stop(): Promise<void> {
    // What a killed server leaves in the system's shared memory, only its next start clears.
    if (this.#killed) await this.start().catch(() => undefined);
    await this.#end("SIGINT");
    await this.#folder.remove();
    this.#killed = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #logFile(): string {
    return join(this.#folder.path, "log");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    await this.#process?.end(signal);
    this.#folder.guard(undefined);
  }
}

/** Starts a PostgreSQL server for a test; resolves when it answers. Rejects where none is installed. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  return PostgresServer.open(options);
}
