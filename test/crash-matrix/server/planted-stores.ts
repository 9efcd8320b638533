import { setTimeout as sleep } from "node:timers/promises";
import type { Append, AppendOutcome, CallContext } from "../../../src/store/store.ts";
import { ForwardingStore } from "../../../src/testing/forwarding-store.ts";

/** Long enough for a caller to get the reply and to kill the server. */
const lateMs = 200;

/** A store that says `committed` first, and commits later. */
export class HastyStore extends ForwardingStore {
  protected override async appendUntracked(batch: readonly Append[]): Promise<readonly AppendOutcome[]> {
    void sleep(lateMs).then(() => this.inner.append(batch));
    return batch.map(() => ({ kind: "committed", position: 0 }));
  }
}

/** A store that removes index keys in a commit before the one that makes them needless. */
export class UntidyStore extends ForwardingStore {
  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    const kept: Append[] = [];
    for (const append of batch) kept.push(await this.#removeFirst(append));
    return super.appendUntracked(kept, options);
  }

  async #removeFirst(append: Append): Promise<Append> {
    const { row, expect, index } = append;
    if (index.remove.length === 0 || expect === 0) return append;
    const slice = await this.inner.read(row, { limit: 0 });
    if (slice === null || slice.version !== expect) return append;
    const removal = { row, expect, commitId: `${append.commitId}-`, head: slice.head, entries: [] };
    const [outcome] = await this.inner.append([{ ...removal, index: { add: [], remove: index.remove } }]);
    // A server that finds the row a version further than it thought reads it again.
    return outcome?.kind === "committed" ? { ...append, expect: expect + 1 } : append;
  }
}
