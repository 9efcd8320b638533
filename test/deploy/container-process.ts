import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { get as getTls } from "node:https";
import { text } from "node:stream/consumers";
import { keepLog } from "../kept-logs.ts";

/** A container as a manifest describes it. */
export interface StartedContainer {
  /** ENTRYPOINT of the image, or what replaces it. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Where the container runs here. */
export interface ContainerPlaces {
  /** Paths within the container that stand elsewhere here: in command, arguments and environment. */
  readonly paths: Readonly<Record<string, string>>;
  readonly workingDir: string;
  /** User and group to run as, which takes root. Default: this process's own. */
  readonly user?: number | undefined;
  /** Words before the command: a program that runs it. */
  readonly under?: readonly string[];
}

/** How a container ended. */
export interface ContainerEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A server that runs with exactly the command, arguments and environment of a deployed container. */
export class ContainerProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<ContainerEnd>;
  readonly #listening: Promise<string>;

  /** Starts it. {@link listening} tells when it is there. */
  constructor(container: StartedContainer, places: ContainerPlaces) {
    const [program = "node", ...words] = [...(places.under ?? []), ...wordsOf(container, places)];
    this.#child = spawn(program, words, {
      cwd: places.workingDir,
      env: environmentOf(container, places),
      stdio: ["ignore", "pipe", "pipe"],
      ...(places.user === undefined ? {} : { uid: places.user, gid: places.user }),
    });
    keepLog(this.#child, import.meta.filename);
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("a server without output");
    this.#listening = new Promise((resolve) => {
      let seen = "";
      stdout.on("data", (chunk: Buffer) => {
        seen += chunk.toString();
        const url = /tapes?:\/\/\S+:\d+/.exec(seen)?.[0];
        if (url !== undefined) resolve(url);
      });
    });
    this.ended = Promise.all([text(stdout), text(stderr), once(this.#child, "close")]).then(([out, err]) => ({
      code: this.#child.exitCode,
      out,
      err,
    }));
    this.ended.catch(() => undefined);
  }

  /** The process that was started: the server, or the program that it runs under. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** `host:port`. Rejects with what it said when it ended instead. */
  async listening(): Promise<string> {
    const url = await Promise.race([this.#listening, this.ended]);
    if (typeof url !== "string") throw new Error(`no server, exit code ${url.code}: ${url.err}`);
    return url.replace(/^tapes?:\/\//, "");
  }

  /** Status of an HTTP probe, which looks at no certificate, as the kubelet does not. */
  async probe(path: string, scheme: "HTTP" | "HTTPS" = "HTTP"): Promise<number> {
    const url = `${scheme.toLowerCase()}://${await this.listening()}${path}`;
    const ask = scheme === "HTTPS" ? getTls : get;
    const asked = ask(url, { rejectUnauthorized: false, agent: false });
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    await text(response);
    return response.statusCode ?? 0;
  }

  /** Asks it to end, as a container runtime does. */
  terminate(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#child.kill(signal);
  }

  /** For the end of a test: nothing is left behind, whatever happened before. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null && this.#child.kill("SIGKILL")) {
      await once(this.#child, "exit");
    }
  }
}

/** Command and arguments as they run here: the node of this process, and files where they stand. */
export function wordsOf({ command, args }: StartedContainer, places: ContainerPlaces): readonly string[] {
  const [program = "", ...words] = [...command, ...args].map((word) => placed(word, places));
  return [program === "node" ? process.execPath : program, ...words];
}

/** The environment as it is here: every container has HOME and PATH, and nothing of this process's own. */
export function environmentOf({ env }: StartedContainer, places: ContainerPlaces): Readonly<Record<string, string>> {
  const own = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, placed(value, places)]));
  return { HOME: "/", ...own };
}

function placed(word: string, { paths }: ContainerPlaces): string {
  return Object.entries(paths).reduce(
    (known, [there, here]) => known.replaceAll(new RegExp(`(?<![\\w.])${there}(?![\\w.-])`, "g"), here),
    word,
  );
}
