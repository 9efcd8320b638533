import { Engine, type EngineOptions } from "./engine/engine.ts";
import { localAccess } from "./model/access.ts";
import type { Tape } from "./model/tape.ts";
import { packageVersion } from "./package-version.ts";
import { reactor } from "./reactor/reactor.ts";
import { createStore } from "./store/open-store.ts";
import { noObserver, type StoreObserver } from "./store/store-observer.ts";

/** Options of {@link openTape}. Everything has a default. */
export interface OpenTapeOptions extends Omit<EngineOptions, "store" | "version" | "housekeeping"> {
  /** Whether to keep the journal tidy, when it is open for some minutes. Default true. */
  readonly housekeeping?: boolean;
  /**
   * Whether the store is made, or brought up to date, if need be. With `false` a store that is missing or out of date is
   * STORE_NOT_USABLE or MIGRATION_PENDING, and nothing is written. Default: true.
   */
  readonly migrate?: boolean;
  /** Whom the store tells what people should know: a feed that is held up, for example. Default: nobody. */
  readonly observer?: StoreObserver;
  /** Where emulators of Google's services are looked for. Default: the environment of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Tape without a server: the engine in this process on the store of a URL, `sqlite:./tape.db` or `postgres://…` for
 * example. Closing it
 * ends streams, waits for commits under way and closes the store.
 *
 * Errors: STORE_URL_INVALID, STORE_NOT_USABLE, FORMAT_NEWER, MIGRATION_PENDING, DRIVER_MISSING, STORE_UNAVAILABLE.
 */
export async function openTape(url: string, options: OpenTapeOptions = {}): Promise<Tape> {
  const { migrate = true, observer = noObserver, environment, ...engineOptions } = options;
  const store = await createStore(url, environment === undefined ? { observer } : { observer, environment });
  try {
    await (migrate ? store.migrate({ dryRun: false }) : store.open());
  } catch (error) {
    await store.close();
    throw error;
  }
  const engine = new Engine({
    store,
    version: packageVersion(),
    reactor: reactor(),
    housekeeping: true,
    ...engineOptions,
  });
  engine.start();
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= engine.close().then(() => store.close()));
  return Object.freeze({ ...engine.tape(localAccess), close, [Symbol.asyncDispose]: close });
}
