import { type Child, type ChildEvents, startChild } from "./child.ts";
import type { Database, DatabaseWay } from "./database.ts";
import { killDatabase } from "./database-kill.ts";
import { describeKill, isDue, type Kill, type Role } from "./kill.ts";
import { type Line, openLine } from "./line.ts";
import type { Point } from "./probe.ts";

/** What a stage is built from. */
export interface StageOptions {
  /** Of the journal that the server keeps. */
  readonly storeUrl: string;
  /** Its server, where that is to be killed. */
  readonly database: Database | null;
  /** For what belongs to this story alone. */
  readonly folder: string;
  readonly ledgerFile: string;
  readonly modelLog: string;
  /** Names the run, and everything that must not meet other runs in the same store. */
  readonly invocation: string;
  readonly bankLosesAnswer: boolean;
  /** Of the processes. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Each is carried out once. */
  readonly kills: readonly Kill[];
  /** Told what happens: who, and what. */
  readonly tell: (who: string, what: string) => void;
}

/** A point that a program has passed. */
export interface PassedPoint extends Point {
  readonly role: Role;
}

/**
 * Four processes - bank, server, dispatcher, agent - and the hand that kills them. The programs stand still at every
 * point until they may go on, so that a kill meets exactly the place it is meant for.
 */
export class Stage {
  readonly #options: StageOptions;
  readonly #lines: Readonly<Record<Role, Line>>;
  readonly #children = new Set<Child>();
  /** Killed on purpose: that they died is no fault. */
  readonly #condemned = new Set<Child>();
  readonly #points: PassedPoint[] = [];
  readonly #way: DatabaseWay | null;
  readonly #further = new Map<Role, AbortController>();
  readonly #disasters = new Set<Promise<void>>();
  #kills: readonly Kill[];
  #server: Promise<Listener>;
  #closing = false;
  /** Why a kill could not be carried out. */
  #fault: Error | undefined;

  private constructor(options: StageOptions, lines: Readonly<Record<Role, Line>>, way: DatabaseWay | null) {
    this.#options = options;
    this.#lines = lines;
    this.#way = way;
    this.#kills = options.kills;
    this.#server = this.#startServer();
  }

  /** Opens the lines and starts the server. */
  static async open(options: StageOptions): Promise<Stage> {
    const { database, kills, folder } = options;
    const losesAnswer = kills.some(({ victim, when }) => victim === "database" && when === "after");
    const way = losesAnswer && database !== null ? await database.openWay(folder) : null;
    return new Stage(options, { agent: await openLine(), dispatcher: await openLine() }, way);
  }

  /** The points passed so far, in order. */
  get points(): readonly PassedPoint[] {
    return this.#points;
  }

  /** Kills whose place no program has come to. */
  get pendingKills(): readonly Kill[] {
    return this.#kills;
  }

  /** Where the server listens now. Rejects when it did not start. */
  async serverUrl(): Promise<string> {
    return (await this.#server).url;
  }

  /** Plays until the agent has ended. Whoever is killed is started again. Rejects when a process fails by itself. */
  async play(): Promise<void> {
    const { ledgerFile, bankLosesAnswer } = this.#options;
    const args = ["demo", "bank", "--ledger", ledgerFile, ...(bankLosesAnswer ? ["--lose-first-wire-answer"] : [])];
    const [bank] = await Promise.all([this.#startListener("bank", args), this.#server]);
    await Promise.race([this.#keepAlive("agent", bank.url), this.#keepAlive("dispatcher", bank.url)]);
  }

  /** Ends every process and every line. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const further of this.#further.values()) further.abort();
    await Promise.allSettled(this.#disasters);
    await Promise.all([...this.#children].map((child) => child.kill("SIGKILL")));
    await Promise.all([this.#lines.agent.close(), this.#lines.dispatcher.close(), this.#way?.close()]);
  }

  /** Starts a program, and again whenever it was killed, until it ends by itself. */
  async #keepAlive(role: Role, bankUrl: string): Promise<void> {
    const { invocation, modelLog, tell } = this.#options;
    const server = `tape://127.0.0.1:${this.#lines[role].port}`;
    const own = role === "agent" ? ["--invocation", invocation, "--model-log", modelLog] : [];
    const args = ["--watched", "--server", server, "--bank", bankUrl, "--connector", `wire/${invocation}`, ...own];
    for (let life = 1; !this.#closing; life += 1) {
      const child = this.#start(["demo", role, "--name", `${role}-${life}`, ...args], {
        line: (line) => tell(role, line),
        point: (point, pass) => {
          this.#reach(child, { role, ...point }, pass).catch((error: unknown) => {
            this.#fault ??= error instanceof Error ? error : new Error(String(error));
            void child.kill("SIGKILL");
          });
        },
      });
      tell(role, `${life === 1 ? "starts" : "starts again"}, pid ${child.pid}`);
      const { code, signal } = await child.exited;
      if (code === 0 || this.#closing) return;
      if (!this.#condemned.has(child)) throw this.#fault ?? failure(role, child, signal ?? code);
    }
  }

  /** A program stands at a point: kill what is to be killed there, and let the living go on. */
  async #reach(child: Child, point: PassedPoint, pass: () => void): Promise<void> {
    this.#points.push(point);
    this.#further.get(point.role)?.abort();
    const kill = this.#kills.find((one) => isDue(one, point));
    if (kill === undefined) {
      pass();
      return;
    }
    this.#kills = this.#kills.filter((one) => one !== kill);
    if (kill.victim === "database") {
      await this.#killDatabase(kill, pass);
    } else if (kill.victim === point.role) {
      await this.#kill(child, describeKill(kill));
    } else if (kill.when === "during") {
      const lost = this.#lines[point.role].loseNextAnswer();
      pass();
      await lost;
      await this.#killServer(describeKill(kill));
    } else {
      await this.#killServer(describeKill(kill));
      pass();
    }
  }

  async #killDatabase(kill: Kill, pass: () => void): Promise<void> {
    const { database, tell } = this.#options;
    if (database === null) throw new Error("there is no database to be killed");
    const further = new AbortController();
    this.#further.set(kill.role, further);
    const disaster = killDatabase({
      kill,
      database,
      way: this.#way,
      pass,
      cameFurther: further.signal,
      tell: () => tell("kill -9", describeKill(kill)),
    });
    this.#disasters.add(disaster);
    await disaster;
    tell("database", "takes connections again");
  }

  async #killServer(what: string): Promise<void> {
    const { child } = await this.#server;
    this.#plug(0);
    await this.#kill(child, what);
    this.#server = this.#startServer();
  }

  async #kill(child: Child, what: string): Promise<void> {
    this.#condemned.add(child);
    const dead = child.kill("SIGKILL");
    this.#options.tell("kill -9", what);
    await dead;
  }

  #startServer(): Promise<Listener> {
    // Not among the arguments, which every user of the machine can read: a password may be in it.
    const env = { TAPE_STORE: this.#way?.storeUrl ?? this.#options.storeUrl };
    const starting = this.#startListener("server", ["serve", "--listen", "127.0.0.1:0"], env);
    // Whoever needs the server hears of a failure; until somebody does, it is not an unhandled one.
    starting.then(
      ({ child, url }) => {
        this.#options.tell("server", `listens, pid ${child.pid}`);
        this.#plug(Number(new URL(url).port));
      },
      () => undefined,
    );
    return starting;
  }

  #plug(port: number): void {
    this.#lines.agent.plug(port);
    this.#lines.dispatcher.plug(port);
  }

  /** Starts a process and waits until it has said where it listens. */
  #startListener(who: string, args: readonly string[], env: StageOptions["env"] = {}): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const look = (line: string): void => {
        const [url] = /(?:http|tape):\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
        if (url !== undefined) resolve({ child, url });
        else if (who === "bank") this.#options.tell(who, line);
      };
      const child = this.#start(args, { line: look, complaint: look }, env);
      void child.exited.then(({ code, signal }) => reject(failure(who, child, signal ?? code)));
    });
  }

  #start(args: readonly string[], events: ChildEvents, env: StageOptions["env"] = {}): Child {
    const child = startChild(args, { ...this.#options.env, ...env }, events);
    this.#children.add(child);
    void child.exited.then(() => this.#children.delete(child));
    return child;
  }
}

interface Listener {
  readonly child: Child;
  readonly url: string;
}

function failure(who: string, child: Child, how: string | number | null): Error {
  return new Error([`the ${who} failed (${how ?? "could not be started"})`, ...child.complaints].join("\n  "));
}
