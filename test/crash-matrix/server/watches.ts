import type { Append } from "../../../src/store/store.ts";
import type { FromServer, Step, ToServer, Watch } from "./protocol.ts";

interface Watched {
  readonly watch: Watch;
  /** It has come once; what is sent again is not held again. */
  arrived: boolean;
  /** Appends to its rows since it arrived. */
  appends: number;
  release: () => void;
}

/** Holds the calls that somebody watches at the step that was asked for. */
export class Watches {
  readonly #tell: (message: FromServer) => void;
  readonly #watched = new Map<string, Watched>();
  #killAfterUs: number | undefined;

  constructor(tell: (message: FromServer) => void) {
    this.#tell = tell;
  }

  /** Does what the other process asks for. */
  take(message: Exclude<ToServer, { readonly kind: "checkpoint" }>): void {
    if (message.kind === "watch") {
      const { watch } = message;
      this.#watched.set(watch.requestId, { watch, appends: 0, arrived: false, release: () => undefined });
      this.#tell({ kind: "watching", requestId: watch.requestId });
      return;
    }
    this.#killAfterUs = message.killAfterUs;
    for (const requestId of message.requestIds) this.#watched.get(requestId)?.release();
  }

  /** Whether a call is to be held at another append than its first. */
  get holdsLaterAppends(): boolean {
    return [...this.#watched.values()].some(({ watch, arrived }) => watch.nth > 1 && arrived);
  }

  /** A call has come. */
  async arrived(requestId: string | undefined): Promise<void> {
    const watched = this.#watched.get(requestId ?? "");
    if (watched === undefined) return;
    if (watched.arrived) return;
    watched.arrived = true;
    if (watched.watch.step === "arrived") await this.#hold(watched);
  }

  /** A call is about to be answered. */
  answered(requestId: string | undefined): void {
    const watched = this.#watched.get(requestId ?? "");
    if (watched === undefined) return;
    this.#watched.delete(watched.watch.requestId);
    this.#tell({ kind: "answered", requestId: watched.watch.requestId, appends: watched.appends });
  }

  /** The calls for which this batch is the append they wait for. */
  appending(batch: readonly Append[]): readonly Watched[] {
    const rows = new Set<string>(batch.map(({ row }) => row));
    const caught: Watched[] = [];
    for (const watched of this.#watched.values()) {
      if (!watched.arrived || watched.watch.step === "arrived" || !watched.watch.rows.some((row) => rows.has(row)))
        continue;
      watched.appends += 1;
      if (watched.appends === watched.watch.nth) caught.push(watched);
    }
    return caught;
  }

  /** Holds those of the calls that are to be held at one of these steps, until they are released. */
  async reached(caught: readonly Watched[], ...at: readonly Step[]): Promise<void> {
    await Promise.all(caught.filter(({ watch }) => at.includes(watch.step)).map((watched) => this.#hold(watched)));
  }

  /** The append of held calls has been sent: if the server is to die in the middle of it, it does. */
  sent(): void {
    if (this.#killAfterUs === undefined) return;
    const dieAt = performance.now() + this.#killAfterUs / 1000;
    // Other work goes on meanwhile, as it would.
    const look = (): void => {
      if (performance.now() >= dieAt) process.kill(process.pid, "SIGKILL");
      else setImmediate(look);
    };
    this.#killAfterUs = undefined;
    look();
  }

  #hold(watched: Watched): Promise<void> {
    return new Promise((resolve) => {
      watched.release = resolve;
      this.#tell({ kind: "reached", requestId: watched.watch.requestId });
    });
  }
}
