import { credentials, type ChannelCredentials } from "@grpc/grpc-js";
import { GrpcCaller } from "../server/grpc-caller.ts";
import type { Target } from "./target.ts";

/** How a well-behaved caller fared. */
export interface Served {
  readonly ok: number;
  readonly failed: number;
  /** Median of a call, in milliseconds. */
  readonly medianMs: number;
  /** What the first failure said. */
  readonly fault: string;
}

const pauseMs = 20;

/**
 * A caller who does nothing wrong: writes and reads a run of his own, by gRPC and without a second try, and asks a probe
 * page, one call after the other, until he is told to stop.
 */
export class Probe {
  readonly #caller: GrpcCaller;
  readonly #target: Target;
  readonly #token: string;
  readonly #latencies: number[] = [];
  readonly #failures: string[] = [];
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;

  /** Begins to call. `authority` is the PEM of the server's certificate, with TLS. */
  constructor(target: Target, token: string, authority: Buffer | null) {
    this.#target = target;
    this.#token = token;
    const options = { "grpc.ssl_target_name_override": "localhost" };
    this.#caller = new GrpcCaller(`127.0.0.1:${target.port}`, channelOf(authority), options);
    this.#done = this.#run();
  }

  /** Calls so far. */
  get calls(): number {
    return this.#latencies.length + this.#failures.length;
  }

  /** Stops, and says how it went. */
  async stop(): Promise<Served> {
    this.#stopping.abort();
    await this.#done;
    this.#caller.close();
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const medianMs = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    return { ok: sorted.length, failed: this.#failures.length, medianMs, fault: this.#failures[0] ?? "" };
  }

  async #run(): Promise<void> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const caller = this.#caller;
    const invocationId = `probe-${performance.now()}-${Math.random()}`;
    for (let index = 0; !this.#stopping.signal.aborted; index += 1) {
      let runId = "";
      await this.#time(async () => {
        const begun = await caller.unary("beginRun", { appName: "probe", invocationId, leaseOwner: "probe" }, headers);
        runId = begun.response.runId;
      });
      await this.#time(() => caller.unary("recordDecision", { runId, decisionIndex: index, model: "m" }, headers));
      await this.#time(() => caller.unary("getRun", { runId }, headers));
      await this.#time(async () => {
        const page = await this.#target.page("/readyz");
        if (!page.startsWith("ready")) throw new Error(page);
      });
      // A pause, so that the server's memory is not that of the probe's own journal, and attackers get their turn.
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  async #time(call: () => Promise<unknown>): Promise<void> {
    const startedAt = performance.now();
    try {
      await call();
      this.#latencies.push(performance.now() - startedAt);
    } catch (error) {
      this.#failures.push(error instanceof Error ? error.message : JSON.stringify(error));
    }
  }
}

function channelOf(authority: Buffer | null): ChannelCredentials {
  return authority === null ? credentials.createInsecure() : credentials.createSsl(authority);
}
