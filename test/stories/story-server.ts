import { Engine } from "../../src/engine/engine.ts";
import { localAccess } from "../../src/model/access.ts";
import type { Tape } from "../../src/model/tape.ts";
import { MemoryStore } from "../../src/store/memory/memory-store.ts";
import type { Append, AppendOutcome, CallContext, Entry, StoreCapabilities } from "../../src/store/store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { ForwardingStore } from "../../src/testing/forwarding-store.ts";

/** One commit on one row: its entries, and its head before and after. */
export interface Commit {
  readonly row: string;
  readonly entries: readonly Entry[];
  readonly before: Readonly<Record<string, unknown>>;
  readonly after: Readonly<Record<string, unknown>>;
}

/** A store in memory that several servers share, and that tells what is committed. */
class StoryStore extends ForwardingStore {
  readonly commits: Commit[] = [];
  readonly #heads = new Map<string, Readonly<Record<string, unknown>>>();

  override get capabilities(): StoreCapabilities {
    return { ...this.inner.capabilities, exclusive: false };
  }

  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    const outcomes = await super.appendUntracked(batch, options);
    batch.forEach(({ row, head, entries }, i) => {
      if (outcomes[i]?.kind !== "committed") return;
      const after = JSON.parse(new TextDecoder().decode(head)) as Record<string, unknown>;
      this.commits.push({ row, entries, before: this.#heads.get(row) ?? {}, after });
      this.#heads.set(row, after);
    });
    return outcomes;
  }
}

/** What a server sees that dies after its next commit: later ones never come to anything. */
class DyingStore extends ForwardingStore {
  #alive = true;

  override append(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    if (!this.#alive) return new Promise(() => {});
    this.#alive = false;
    return this.inner.append(batch);
  }
}

/** The servers of a story, on one store and one clock, with ids that are the same every time. */
export class StoryServers {
  readonly clock: FakeClock = new FakeClock();
  readonly #store = new StoryStore(new MemoryStore());
  readonly #engines = new Map<string, Engine>();
  #ids = 0;

  async open(): Promise<void> {
    await this.#store.open();
  }

  /**
   * The tape of a server, which starts when it is first asked for. Only the one without a name does things by itself.
   * The one called `dies` is another one each time.
   */
  tape(name: string): Tape {
    const known = this.#engines.get(name);
    if (known !== undefined) return known.tape(localAccess);
    const id = (): string => {
      this.#ids += 1;
      return String(this.#ids);
    };
    const ids = { commitId: () => `commit-${id()}`, id, spanId: () => id().padStart(16, "0") };
    const dies = name === "dies";
    const engine = new Engine({
      store: dies ? new DyingStore(this.#store) : this.#store,
      clock: this.clock,
      ids,
      reactors: name === "",
    });
    if (!dies) this.#engines.set(name, engine);
    engine.start();
    return engine.tape(localAccess);
  }

  /** Ends all servers; what they knew is gone, what they stored is not. */
  async restart(): Promise<void> {
    await Promise.all([...this.#engines.values()].map((engine) => engine.close()));
    this.#engines.clear();
    this.tape("");
  }

  /** What has been committed since the last look. */
  takeCommits(): readonly Commit[] {
    return this.#store.commits.splice(0);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#engines.values()].map((engine) => engine.close()));
    await this.#store.close();
  }
}
