import { setTimeout as sleep } from "node:timers/promises";
import { connectTape } from "../../src/client/connect-tape.ts";
import type { Tape } from "../../src/model/tape.ts";
import type { Random } from "../../src/testing/random.ts";
import { acknowledged, type Tally } from "../../bench/soak/tally.ts";
import { wordsOfError } from "../../bench/words-of-error.ts";
import { freePort } from "../postgres/loopback-port.ts";
import { nameOfVictim, prepareBlow, type UnderWay, type Victim } from "./blow.ts";
import { attempt, type Attempt, defaultPatience, insist, insistent, lookingOnce, type Patience } from "./calls.ts";
import { CrashServer } from "./crash-server.ts";
import { Load } from "./load.ts";
import type { Place } from "./places/place.ts";
import { momentsOf, sameMoment, stepOf, type Cell, type Moment, type ReadyCell, type Twin } from "./plan.ts";
import { plain, type Facts } from "./scenarios/facts.ts";
import type { Prepared, Scenario } from "./scenarios/scenario.ts";
import type { PlantedBug } from "./server/protocol.ts";
import { loadToken, matrixToken, runName } from "./server/tenants.ts";
import type { CrashTable } from "./table.ts";
import { compare } from "./verdict.ts";

/** What a matrix is made of. */
export interface MatrixOptions {
  readonly place: Place;
  /** `server/crash-server.js`, compiled. */
  readonly program: string;
  readonly scenarios: readonly Scenario[];
  readonly victims: readonly Victim[];
  /** How often each cell. */
  readonly rounds: number;
  /** How many calls are at their moment when something is killed. */
  readonly together: number;
  /** Agents that call all the time. */
  readonly clients: number;
  readonly random: Random;
  readonly tally: Tally;
  readonly tables: ReadonlyMap<string, CrashTable>;
  readonly planted?: PlantedBug | undefined;
  /** Of the calls that are looked at. Default: {@link defaultPatience}. */
  readonly patience?: Patience | undefined;
  /** Default: all of them. */
  readonly moments?: ((moment: Moment) => boolean) | undefined;
  /** Told what goes on. */
  readonly onCrash?: ((what: string) => void) | undefined;
}

/** How many things are read at once; and prepared, of which some wait for tasks that are made by themselves. */
const width = 32;
const preparedTogether = 64;
/** What follows a commit, as the removal of index keys may, follows soon. */
const settleMs = 150;
const mostLooks = 4;

/**
 * Kills the victims at every moment of every scenario, under load; what is wrong afterwards is told to the tally, and so is
 * what could not be done. Never rejects for what a server, a store or a call does.
 */
export async function runMatrix(options: MatrixOptions): Promise<void> {
  const matrix = new Matrix(options, await freePort());
  await matrix.run();
}

class Matrix {
  readonly #options: MatrixOptions;
  readonly #port: number;
  readonly #tape: Tape;
  /** Sends until it is answered. */
  readonly #patient: Tape;
  readonly #patience: Patience;
  /** Of which a call failed, which was told. */
  readonly #failed = new Set<ReadyCell>();
  #server: CrashServer | undefined;
  #names = 0;

  constructor(options: MatrixOptions, port: number) {
    this.#options = options;
    this.#port = port;
    this.#patience = options.patience ?? defaultPatience;
    this.#tape = connectTape(`tape://127.0.0.1:${port}`, {
      token: matrixToken,
      timeoutMs: this.#patience.attemptMs,
      retries: { maxAttempts: 1 },
    });
    this.#patient = insistent(this.#tape, this.#patience);
  }

  async run(): Promise<void> {
    const { victims, random, tally, clients, onCrash } = this.#options;
    let load: Load | undefined;
    try {
      await this.#start();
      const cells = await this.#plan();
      const ready: (readonly [Victim, readonly ReadyCell[]])[] = [];
      for (const victim of victims) ready.push([victim, await this.#prepare(cells)]);
      onCrash?.(`${victims.length * cells.length} calls are ready`);
      if (clients > 0) load = new Load({ port: this.#port, clients, random: random.fork(), tally, token: loadToken });
      for (const [victim, those] of ready) {
        for (const group of this.#groups(those)) {
          await load?.worked();
          await this.#crash(victim, group);
        }
      }
      await load?.finish();
      onCrash?.("everything was killed: all of it is read once more");
      // The last look is through a server that has seen none of it.
      await this.#restart();
      const once = lookingOnce(this.#tape);
      await inParallel(
        ready.flatMap(([, those]) => those),
        async (cell) => {
          // What was never answered may be there or not.
          if (this.#failed.has(cell)) return;
          await this.#told(cell.scenario, "at the end", () => this.#judge(cell, "at the end", once));
        },
      );
      await load?.check();
    } catch (error) {
      tally.violation("not finished", `the matrix ended early: ${wordsOfError(error)}`);
    } finally {
      await load?.close();
      await this.#tape.close();
      await this.#server?.kill();
    }
  }

  async #start(): Promise<CrashServer> {
    const { program, place, planted } = this.#options;
    const { storeUrl, env } = place;
    this.#server = await CrashServer.start({ program, storeUrl, env, planted, port: this.#port });
    return this.#server;
  }

  async #restart(): Promise<void> {
    await this.#server?.kill();
    await this.#start();
  }

  /** Sees what every scenario comes to, and from that all of its moments. */
  async #plan(): Promise<readonly Cell[]> {
    const { scenarios, rounds, moments = () => true, onCrash } = this.#options;
    const cells: Cell[] = [];
    for (const scenario of scenarios) {
      const twin = await this.#told(scenario, "undisturbed", () => this.#twin(scenario));
      if (twin === undefined) continue;
      onCrash?.(`${scenario.name} undisturbed: ${twin.appends} appends, ${twin.requests} requests that write`);
      for (let round = 0; round < rounds; round += 1) {
        for (const moment of momentsOf(twin).filter(moments)) cells.push({ scenario, twin, moment });
      }
    }
    return cells;
  }

  /** The calls of a scenario, with nothing killed; and once more, with the neighbour's alone. */
  async #twin(scenario: Scenario): Promise<Twin> {
    const server = this.#server;
    if (server === undefined) throw new TypeError("there is no server");
    const { place } = this.#options;
    const name = this.#name();
    const prepared = await scenario.prepare(this.#patient, name, this.#names);
    const before = await this.#facts(prepared);
    await server.watch({ requestId: name, rows: prepared.rows, step: "replied", nth: 0 });
    const counted = place.wire?.count(prepared.rows);
    const answer = await this.#insist(() => prepared.call(this.#tape, { requestId: name }));
    if (counted !== undefined) await sleep(settleMs);
    const requests = counted?.() ?? 0;
    const called = await this.#facts(prepared);
    await this.#callNeighbour(prepared, name);
    const facts = await this.#facts(prepared);
    const other = this.#name();
    const untouched = await scenario.prepare(this.#patient, other, this.#names);
    await this.#callNeighbour(untouched, other);
    const stages = [before, called, await this.#facts(untouched), facts];
    // Its turn comes before those of others.
    await this.#insist(() => untouched.call(this.#tape, { requestId: other }));
    return { facts, stages, answer: plain(answer, name), appends: server.appends(name), requests };
  }

  #insist<T>(send: () => Promise<T>): Promise<T> {
    return insist(send, this.#patience);
  }

  #facts(prepared: Prepared, tape: Tape = this.#tape): Promise<Facts> {
    return this.#insist(() => prepared.facts(tape));
  }

  async #callNeighbour(prepared: Prepared, name: string): Promise<void> {
    await this.#insist(async () => prepared.neighbour?.(this.#tape, { requestId: `${name}/neighbour` }));
  }

  async #prepare(cells: readonly Cell[]): Promise<readonly ReadyCell[]> {
    const inOrder = this.#groupOrder(cells).map((cell) => ({ ...cell, name: this.#name(), turn: this.#names }));
    const prepare = async ({ turn, ...cell }: (typeof inOrder)[number]): Promise<readonly ReadyCell[]> => {
      const make = () => cell.scenario.prepare(this.#patient, cell.name, turn);
      const prepared = await this.#told(cell.scenario, `made ready (${cell.name})`, make);
      return prepared === undefined ? [] : [{ ...cell, prepared }];
    };
    return (await inParallel(inOrder, prepare, preparedTogether)).flat();
  }

  /** Does this; that it failed is told. */
  async #told<T>(scenario: Scenario, when: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#options.tally.violation("call failed", `${scenario.name}, ${when}: ${wordsOfError(error)}`);
      return undefined;
    }
  }

  /** Cells of one moment stand together, so that their calls can be held together. */
  #groupOrder(cells: readonly Cell[]): readonly Cell[] {
    const moments = new Map<string, Cell[]>();
    for (const cell of cells) {
      const key = JSON.stringify(cell.moment);
      moments.set(key, [...(moments.get(key) ?? []), cell]);
    }
    return [...moments.values()].flat();
  }

  *#groups(cells: readonly ReadyCell[]): Generator<readonly ReadyCell[]> {
    let group: ReadyCell[] = [];
    for (const cell of cells) {
      const [first] = group;
      const isFull = group.length >= this.#options.together || group.some(({ scenario }) => scenario === cell.scenario);
      if (first !== undefined && (isFull || !sameMoment(first.moment, cell.moment))) {
        yield group;
        group = [];
      }
      group.push(cell);
    }
    if (group.length > 0) yield group;
  }

  /** Sends the calls of a group, strikes when they are at their moment, sends them again, and looks what has come of it. */
  async #crash(victim: Victim, group: readonly ReadyCell[]): Promise<void> {
    const { place, random, tally, tables, onCrash } = this.#options;
    const server = this.#server ?? (await this.#start());
    const [first] = group;
    if (first === undefined) return;
    const { moment } = first;
    const named = group.map((cell) => ({ requestId: cell.name, cell }));
    const blow = await prepareBlow({ server, place, random }, victim, moment, named);
    const calls = group.map((cell) => this.#send(cell));
    const struck = await blow.strike(calls);
    tally.count("crashes");
    tally.count("calls at their step", struck);
    tally.count("calls missed", group.length - struck);
    for (const { scenario } of group) tables.get(nameOfVictim(victim))?.count(scenario.name, stepOf(moment));
    onCrash?.(
      `${nameOfVictim(victim)} at ${JSON.stringify(moment)}: ${group.map((cell) => cell.scenario.name).join(", ")}`,
    );
    if (victim.kind === "server") await this.#start();
    await inParallel(calls, (call) => this.#settle(call, moment, victim.kind === "server"));
  }

  #send(cell: ReadyCell): SentCall {
    const { prepared, name } = cell;
    const call = attempt(() => prepared.call(this.#tape, { requestId: name }));
    const neighbour = attempt(async () => prepared.neighbour?.(this.#tape, { requestId: `${name}/neighbour` }));
    for (const sent of [call, neighbour]) {
      void sent.then(
        ({ kind }) => this.#options.tally.count(kind === "answered" ? acknowledged : "calls cut off"),
        () => undefined,
      );
    }
    const ended = Promise.allSettled([call, neighbour]);
    return { requestId: name, cell, call, neighbour, ended };
  }

  /** What was acknowledged is there; sent again, the call is answered as it would have been, and has counted once. */
  async #settle({ cell, call, neighbour }: SentCall, moment: Moment, isKilled: boolean): Promise<void> {
    const { prepared, name, scenario, twin } = cell;
    const { tally } = this.#options;
    this.#failed.add(cell);
    await this.#told(scenario, `at ${JSON.stringify(moment)} (${name})`, async () => {
      const attempts = await Promise.all([call, neighbour]);
      if (attempts.every(({ kind }) => kind === "answered")) await this.#judge(cell, "before it was sent again");
      else if (isKilled && prepared.rows.length === 1) await this.#judgeHalfDone(cell);
      const answer = await this.#insist(() => prepared.call(this.#tape, { requestId: name }));
      await this.#callNeighbour(prepared, name);
      tally.count(acknowledged, 2);
      await this.#judge(cell, "after it was sent again");
      const given = plain(answer, name);
      if (scenario.answersAgain && given !== twin.answer) {
        this.#report(cell, "wrong answer", `sent again it answered ${given}, not ${twin.answer}`);
      }
      this.#failed.delete(cell);
    });
  }

  async #judge(cell: ReadyCell, when: string, tape?: Tape): Promise<void> {
    const found = await this.#facts(cell.prepared, tape);
    for (const { kind, what } of compare(cell.twin.facts, found)) this.#report(cell, kind, `${when}: ${what}`);
  }

  /** Of what was not acknowledged there is all or nothing (R2), also in the lists. */
  async #judgeHalfDone(cell: ReadyCell): Promise<void> {
    let found: Facts = [];
    for (let look = 0; look < mostLooks; look += 1) {
      found = await this.#facts(cell.prepared);
      const now = found;
      if (cell.twin.stages.some((stage) => compare(stage, now).length === 0)) return;
      // A database may go on with a commit whose server has died, while one looks.
      await sleep(settleMs);
    }
    this.#report(cell, "half done", `before it was sent again there is ${found.join("; ")}`);
  }

  #report({ scenario, moment, name }: ReadyCell, kind: string, what: string): void {
    this.#options.tally.violation(kind, `${scenario.name} at ${JSON.stringify(moment)} (${name}): ${what}`);
  }

  #name(): string {
    this.#names += 1;
    return `crash-matrix-${runName}-${this.#names}-`;
  }
}

interface SentCall extends UnderWay {
  readonly call: Promise<Attempt>;
  readonly neighbour: Promise<Attempt>;
}

/** Some at a time; the results in order. */
async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  together: number = width,
): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = items.entries();
  await Promise.all(
    Array.from({ length: together }, async () => {
      for (const [at, item] of rest) results[at] = await work(item);
    }),
  );
  return results;
}
