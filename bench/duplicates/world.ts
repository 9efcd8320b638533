import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PlannedRun, WorldKind } from "./assignment.ts";
import type { CrashPoint } from "./crash-point.ts";

/** What the world knows of a run. */
export interface WorldRecord {
  /** How often the model was asked. */
  readonly asked: number;
  /** How often the tool acted. */
  readonly acts: number;
}

interface Act {
  readonly run: string;
  readonly key: string | undefined;
}

/**
 * The outside world: a model and a tool as an HTTP service on loopback, which counts what really happened and outlives
 * every agent. While agents are to be killed, it holds back what they wait for at their points.
 */
export class World implements AsyncDisposable {
  readonly kind: WorldKind;
  readonly url: string;
  readonly #server: Server;
  readonly #asked = new Map<string, number>();
  /** The ledger: one for each act, in the order in which they happened. Only added to. */
  readonly #acts: Act[] = [];
  readonly #late: Act[] = [];
  /** Runs that are still to come to their point, and which that is. */
  readonly #awaited = new Map<string, CrashPoint>();
  #allThere: (() => void) | undefined;

  private constructor(kind: WorldKind, server: Server) {
    this.kind = kind;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      this.#serve(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  static async open(kind: WorldKind): Promise<World> {
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new World(kind, server);
  }

  /** From now on each of these runs is held at its point; resolves when all are there. */
  async parked(runs: readonly PlannedRun[]): Promise<void> {
    const allThere = new Promise<void>((resolve) => {
      this.#allThere = resolve;
    });
    for (const { id, point } of runs) this.#awaited.set(id, point);
    await allThere;
  }

  /** Those that have not come to their point. */
  stillAwaited(): readonly string[] {
    return [...this.#awaited].map(([run, point]) => `${run} (${point})`);
  }

  /** What was still under way arrives now. */
  deliverLate(): void {
    for (const act of this.#late.splice(0)) this.#act(act);
  }

  record(run: string): WorldRecord {
    return { asked: this.#asked.get(run) ?? 0, acts: this.#acts.filter((act) => act.run === run).length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // All of the request, as a service does that answers it: only what has arrived can be acted on.
    request.resume();
    if (!request.readableEnded) await once(request, "end");
    const [, place = "", run = ""] = (request.url ?? "").split("/");
    switch (`${request.method} ${place}`) {
      case "POST parked":
        return this.#arrived(run);
      case "POST model":
        this.#asked.set(run, (this.#asked.get(run) ?? 0) + 1);
        return void response.end(`act for ${run}`);
      case "GET acts":
        if (this.kind !== "look-up") return void response.writeHead(404).end("this world cannot be asked");
        return void response.end(this.#acts.some((act) => act.run === run) ? receiptOf(run) : "");
      case "POST acts":
        return this.#receive({ run, key: keyOf(request) }, response);
      default:
        response.writeHead(404).end("no such service");
    }
  }

  #receive(act: Act, response: ServerResponse): void {
    const point = this.#awaited.get(act.run);
    if (point === "request-late") this.#late.push(act);
    if (point === "request-late" || point === "request-sent") return this.#arrived(act.run);
    this.#act(act);
    if (point === "acted") return this.#arrived(act.run);
    response.end(receiptOf(act.run));
  }

  #act(act: Act): void {
    const isKnown = this.kind === "keys" && act.key !== undefined && this.#acts.some(({ key }) => key === act.key);
    if (!isKnown) this.#acts.push(act);
  }

  /** Its answer is never given. */
  #arrived(run: string): void {
    this.#awaited.delete(run);
    if (this.#awaited.size === 0) this.#allThere?.();
  }
}

const receiptOf = (run: string): string => `receipt of ${run}`;

function keyOf({ headers }: IncomingMessage): string | undefined {
  const key = headers["idempotency-key"];
  return typeof key === "string" ? key : undefined;
}
