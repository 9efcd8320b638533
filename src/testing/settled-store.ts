import { TapeError } from "../errors.ts";
import type {
  Append,
  AppendOutcome,
  CallContext,
  FeedPage,
  MigrationReport,
  ReadOptions,
  RowId,
  RowSlice,
  ScanOptions,
  ScanPage,
  SweepOptions,
  SweepStep,
  TailOptions,
} from "../store/store.ts";
import { ForwardingStore } from "./forwarding-store.ts";

const attempts = 100;

/**
 * Wraps a store that is not always available: calls that met STORE_UNAVAILABLE are made again, and appends of unknown
 * fate are settled, as every caller of a store must. What is left is a store on which the whole suite must pass.
 *
 * It sees one ambiguity as a conflict: an append without entries whose row others have changed since.
 */
export class SettledStore extends ForwardingStore {
  override open(options?: CallContext): Promise<void> {
    return again(() => super.open(options));
  }

  override migrate(options: { readonly dryRun: boolean }): Promise<MigrationReport> {
    return again(() => super.migrate(options));
  }

  protected override async appendUntracked(
    batch: readonly Append[],
    options: CallContext | undefined,
  ): Promise<readonly AppendOutcome[]> {
    const outcomes = await again(() => super.appendUntracked(batch, options));
    return Promise.all(
      batch.map(async (append, i) => {
        const outcome = outcomes[i];
        return outcome === undefined || outcome.kind === "unknown" ? this.#settle(append) : outcome;
      }),
    );
  }

  override read(row: RowId, options?: ReadOptions): Promise<RowSlice | null> {
    return again(() => super.read(row, options));
  }

  override scan(index: string, options: ScanOptions): Promise<ScanPage> {
    return again(() => super.scan(index, options));
  }

  override tail(options: TailOptions): Promise<FeedPage> {
    return again(() => super.tail(options));
  }

  override sweep(options: SweepOptions): Promise<SweepStep> {
    return again(() => super.sweep(options));
  }

  /**
   * Looks whether the row or an entry has the commit id. If the row is still at the expected version the append may yet
   * be written, so it is made once more: of the two one at most succeeds, and having the same content, either will do.
   */
  async #settle(append: Append): Promise<AppendOutcome> {
    for (;;) {
      const slice = await this.read(append.row);
      const own = slice?.entries.filter(({ commitId }) => commitId === append.commitId) ?? [];
      if (slice?.commitId === append.commitId || own.length > 0) {
        return { kind: "committed", position: own.at(-1)?.position ?? 0 };
      }
      const version = slice?.version ?? 0;
      if (version !== append.expect) return { kind: "conflict", version };
      const [outcome] = await again(() => super.appendUntracked([append], undefined));
      if (outcome?.kind === "committed") return outcome;
    }
  }
}

async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const isWorthIt = error instanceof TapeError && error.reason === "STORE_UNAVAILABLE" && attempt < attempts;
      if (!isWorthIt) throw error;
    }
  }
}
