import { inspect } from "node:util";
import { TapeError, toTapeError } from "../../../src/errors.ts";
import type { CallOptions } from "../../../src/model/call.ts";
import type { Tape } from "../../../src/model/tape.ts";
import { traceparentOf, type CallBook, type CallRecord } from "./call-book.ts";
import type { Cluster } from "./cluster.ts";
import type { Server } from "./server.ts";
import type { World } from "./world.ts";

/** One call, as its caller means it. */
export interface CallSpec<T> {
  readonly method: string;
  /** What it is about, for the story. */
  readonly about: string;
  readonly options?: Pick<CallOptions, "leaseEpoch" | "requestId" | "claimer" | "gateOccurrence">;
  readonly ifVersion?: number;
  /** Whether to send it again when nobody knows what became of it. Default true. */
  readonly retry?: boolean;
  readonly send: (tape: Tape, options: CallOptions) => Promise<T>;
  /**
   * Called when a request arrives, so that it can note how things stand; the answer is called when the server answers,
   * before that is sent, and says what is wrong with it.
   */
  readonly check?: () => (answer: T) => void;
}

/** Whose callers a network is for. */
export interface Tenant {
  /** Where all rows of the tenant are; empty: those of callers without a credential. */
  readonly partition: string;
  /** What the names of its callers, and so everything that they write, begin with. */
  readonly mark: string;
  /** The mark of another tenant; empty: there is no other. */
  readonly strangers: string;
}

const noTenant: Tenant = { partition: "", mark: "", strangers: "" };

const mostTries = 8;
const longestBackoffMs = 400;
/** How long a copy of a request may be on its way: until others have written, leases are over, or all is settled. */
const lingeringMs = [1000, 10_000, 60_000];

const unavailable = (why: string): TapeError => new TapeError("SERVER_UNAVAILABLE", `simulated: ${why}; try again`);

/** Who has sent a request. */
interface Caller<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** Who has got an answer long ago and is not there any more. */
const nobody: Caller<unknown> = { resolve: () => undefined, reject: () => undefined };

/** What lies between callers and servers. Requests and answers get lost, come late, or twice, at once or much later. */
export class Network {
  readonly #world: World;
  readonly #cluster: Cluster;
  readonly #book: CallBook;
  readonly #tenant: Tenant;

  constructor(world: World, cluster: Cluster, book: CallBook, tenant: Tenant = noTenant) {
    this.#world = world;
    this.#cluster = cluster;
    this.#book = book;
    this.#tenant = tenant;
  }

  /** See {@link Tenant.mark}. */
  get mark(): string {
    return this.#tenant.mark;
  }

  /** What its callers get of a server. */
  tapeOf(server: Server): Tape {
    return server.tapeOf(this.#tenant.partition);
  }

  /** A server to hold on to, for streams. */
  connect(): Server {
    return this.#cluster.pick();
  }

  /** Makes a call, sends it again when it may be, with the same request id. Errors: as the server's. */
  async call<T>(caller: string, spec: CallSpec<T>): Promise<T> {
    const number = this.#world.number();
    const { method, options = {}, ifVersion } = spec;
    const { leaseEpoch, requestId, claimer } = options;
    const record = {
      number,
      method,
      caller,
      leaseEpoch,
      requestId,
      claimer,
      ifVersion,
      arrived: 0,
      commitIds: new Set<string>(),
    };
    this.#book.note(record);
    const sent: CallOptions = { ...options, traceparent: traceparentOf(number) };
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#attempt(`${caller} #${number} ${method} ${spec.about}`, spec, sent, record);
      } catch (error) {
        const again = error instanceof TapeError && error.code === "UNAVAILABLE" && spec.retry !== false;
        if (!again || tries >= mostTries) throw error;
      }
      await this.sleep(this.#world.random.int(longestBackoffMs));
    }
  }

  /** Lets the world's time pass. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.scheduler.after(ms, null, resolve);
    });
  }

  /** Nobody gets what another tenant has written. */
  mustBeOwn(what: string, answer: unknown): void {
    const { strangers } = this.#tenant;
    if (strangers === "" || !JSON.stringify(answer).includes(strangers)) return;
    this.#world.violated(
      "tenants-apart",
      `${what} was answered with what ${strangers} wrote: ${JSON.stringify(answer)}`,
    );
  }

  #attempt<T>(text: string, spec: CallSpec<T>, options: CallOptions, record: CallRecord): Promise<T> {
    const { faults, scheduler } = this.#world;
    return new Promise((resolve, reject) => {
      const server = this.#cluster.pick();
      this.#world.tell(() => `-> ${server.name}: ${text}`);
      const giveUp = (why: string): void => {
        scheduler.add(null, () => {
          reject(unavailable(why));
        });
      };
      if (faults.happens("request-lost")) {
        giveUp("the request was lost");
        return;
      }
      const late = faults.happens("request-late");
      if (late) giveUp("no answer came in time");
      const twice = faults.happens("request-twice");
      if (faults.happens("request-lingers")) this.#arriveMuchLater(text, spec, options, record);
      for (let copies = twice ? 2 : 1; copies > 0; copies -= 1) {
        scheduler.add(server, () => {
          record.arrived += 1;
          this.#arrive(server, text, spec, options, { resolve, reject });
        });
      }
    });
  }

  /** A copy that something between caller and servers has held back, and now gives to whichever server there is (R3). */
  #arriveMuchLater<T>(text: string, spec: CallSpec<T>, options: CallOptions, record: CallRecord): void {
    const { random, scheduler } = this.#world;
    scheduler.after(random.int(random.pick(lingeringMs)), null, () => {
      record.arrived += 1;
      const server = this.#cluster.pick();
      this.#world.tell(() => `   a late copy comes to ${server.name}: ${text}`);
      this.#arrive(server, `${text}, late`, spec, options, nobody);
    });
  }

  #arrive<T>(server: Server, text: string, spec: CallSpec<T>, options: CallOptions, caller: Caller<T>): void {
    const { faults, scheduler } = this.#world;
    const reply = (told: () => string, settle: () => void): void => {
      this.#world.tell(() => `<- ${server.name}: ${text}: ${told()}`);
      const lost = faults.happens("reply-lost");
      scheduler.add(null, () => {
        if (lost) caller.reject(unavailable("the answer was lost"));
        else settle();
      });
    };
    const gone = (): void => {
      reply(
        () => "the connection is gone",
        () => {
          caller.reject(unavailable("the server is gone"));
        },
      );
    };
    if (!server.alive) {
      gone();
      return;
    }
    server.onCrash.add(gone);
    const check = spec.check?.();
    spec.send(this.tapeOf(server), options).then(
      (answer) => {
        if (!server.onCrash.delete(gone)) return;
        this.mustBeOwn(text, answer);
        check?.(answer);
        reply(
          () => JSON.stringify(answer),
          () => {
            caller.resolve(answer);
          },
        );
      },
      (thrown: unknown) => {
        if (!server.onCrash.delete(gone)) return;
        const error = toTapeError(thrown);
        this.mustBeOwn(text, error.message);
        if (error.code === "INTERNAL") {
          this.#world.violated("no-surprise", `${text}: ${inspect(error)}`);
        }
        reply(
          () => `${error.reason} ${error.message}`,
          () => {
            caller.reject(error);
          },
        );
      },
    );
  }
}
