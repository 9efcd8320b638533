import { toTapeError } from "../../src/errors.ts";
import type { Random } from "../../src/testing/random.ts";
import { perform } from "./calls.ts";
import { Recorder, type Operation } from "./history.ts";
import type { Machine } from "./machine.ts";
import type { ObjectKind, Player } from "./workload/player.ts";

/** Where histories are made: servers, who calls them, and a clock that is theirs too. */
export interface World {
  /** A client of every object runs on each. */
  readonly machines: readonly Machine[];
  readonly now: () => number;
  /** By how much the clocks of servers and recorder may differ. */
  readonly slackMs: number;
  /** Lets a client think for up to so long. */
  think(longestMs: number, random: Random): Promise<void>;
}

/** How much is asked of each object. */
export interface RoundOptions {
  readonly kinds: readonly ObjectKind[];
  readonly objectsOfEach: number;
  readonly callsOfEach: number;
  /** Begins the name of every object; nobody else has used it on this store. */
  readonly prefix: string;
  /** Told of an answer that no rule knows. */
  readonly onStrangeAnswer: (what: string) => void;
}

/** An object and what happened to it. */
export interface History {
  readonly kind: ObjectKind;
  readonly object: string;
  readonly operations: readonly Operation[];
}

/** A client that knows nothing of so many of its calls leaves the object alone: each one doubles what must be tried. */
const mostUnknown = 2;
/** How often a call of unknown outcome is sent again, as it was (R3). */
const repeatChance = 0.5;
const mostReads = 100;

/** New objects, each used by a client of every machine at once; then what is left is read. */
export async function playRound(world: World, options: RoundOptions, random: Random): Promise<readonly History[]> {
  const games = options.kinds.flatMap((kind) =>
    Array.from({ length: options.objectsOfEach }, (_, n): Game => {
      const object = `${options.prefix}-${kind.name.replaceAll(" ", "-")}-${n}`;
      return { kind, object, recorder: new Recorder(world.now, world.slackMs) };
    }),
  );
  const clients = games.flatMap((game) =>
    world.machines.map((machine, n) => new Client(world, options, game, machine, `c${n + 1}`, random.fork())),
  );
  await Promise.all(clients.map((client) => client.play()));
  await Promise.all(clients.map((client) => client.readAtTheEnd()));
  return games.map(({ kind, object, recorder }) => ({ kind, object, operations: recorder.operations }));
}

interface Game {
  readonly kind: ObjectKind;
  readonly object: string;
  readonly recorder: Recorder;
}

type PlayerInput = ReturnType<Player["next"]>;

/** One client of one object: one call after the other. */
class Client {
  readonly #world: World;
  readonly #options: RoundOptions;
  readonly #game: Game;
  readonly #machine: Machine;
  readonly #name: string;
  readonly #random: Random;
  readonly #player: Player;

  constructor(world: World, options: RoundOptions, game: Game, machine: Machine, name: string, random: Random) {
    this.#world = world;
    this.#options = options;
    this.#game = game;
    this.#machine = machine;
    this.#name = name;
    this.#random = random;
    this.#player = game.kind.player(name, random);
  }

  async play(): Promise<void> {
    const { callsOfEach } = this.#options;
    let again: PlayerInput | undefined;
    let unknown = 0;
    for (let call = 0; call < callsOfEach && unknown < mostUnknown; call += 1) {
      await this.#world.think(this.#game.kind.longestThoughtMs, this.#random);
      const input = again ?? this.#player.next(call / callsOfEach);
      const isKnown = await this.#call(input);
      if (!isKnown) unknown += 1;
      again = !isKnown && this.#random.chance(repeatChance) ? input : undefined;
    }
  }

  /** One client of an object reads it, as often as it takes. */
  async readAtTheEnd(): Promise<void> {
    if (this.#machine !== this.#world.machines[0]) return;
    for (const input of this.#game.kind.closing) {
      for (let tries = 1; !(await this.#call(input)) && tries < mostReads; tries += 1) {
        await this.#world.think(this.#game.kind.longestThoughtMs, this.#random);
      }
    }
  }

  /** Whether it was answered. */
  async #call(input: PlayerInput): Promise<boolean> {
    const { server, tape, signal } = this.#machine;
    const answered = this.#game.recorder.invoke(this.#name, input);
    try {
      const answer = await perform(tape, this.#game.object, input, signal);
      if (answer !== undefined) {
        answered(answer);
        this.#player.learn(input, answer);
        return true;
      }
    } catch (error) {
      const { reason, message } = toTapeError(error);
      this.#options.onStrangeAnswer(`${this.#game.object}: ${input.call} of ${this.#name}: ${reason}: ${message}`);
    }
    this.#machine.leave(server);
    return false;
  }
}
