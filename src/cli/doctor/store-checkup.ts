import { partitionOf, runRow } from "../../codec/row-id.ts";
import { TapeError } from "../../errors.ts";
import { createStore, examineStore, maskUrl, type StoreExamination } from "../../store/open-store.ts";
import type { Store } from "../../store/store.ts";
import { type Checkup, fail, type Finding, ok, skipped, warn } from "./finding.ts";
import { OpeningWatch } from "./opening-watch.ts";
import { checkRecovery, checkScratch } from "./self-test.ts";

/** What is to be checked of a store. */
export interface StoreCheckupOptions {
  readonly url: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a scratch run may be written. */
  readonly selfTest: boolean;
  /** Appended to suggested commands that work on the journal: empty, or ` --store ...`. */
  readonly access: string;
  /** Milliseconds that only rise. Default: the machine's. */
  readonly monotonic?: () => number;
}

/** Everything about the store that a server would work with: from its URL to a run that survives a crash. */
export function storeCheckup(options: StoreCheckupOptions): Checkup {
  return async function* (signal) {
    const { url, env } = options;
    const watch = new OpeningWatch();
    let store: Store;
    let examination: StoreExamination;
    try {
      store = await createStore(url, { observer: watch, environment: env });
      examination = await examineStore(url, { environment: env });
    } catch (error) {
      yield unusable("store.url", error, url);
      return;
    }
    yield ok("store.url", maskUrl(url));
    try {
      yield* once(checks(store, examination, watch, options, signal));
    } finally {
      await store.close();
    }
  };
}

/** A server that cannot be reached, or a file that cannot be read, is one fault, whoever comes upon it. */
async function* once(findings: AsyncIterable<Finding>): AsyncIterable<Finding> {
  const told = new Map<string, string>();
  for await (const finding of findings) {
    const first = finding.outcome === "fail" ? told.get(finding.says) : undefined;
    if (finding.outcome === "fail" && first === undefined) told.set(finding.says, finding.id);
    yield first === undefined ? finding : skipped(finding.id, `could not be looked at: see ${first}`);
  }
}

async function* checks(
  store: Store,
  examination: StoreExamination,
  watch: OpeningWatch,
  options: StoreCheckupOptions,
  signal: AbortSignal,
): AsyncIterable<Finding> {
  const { url, env, selfTest, access, monotonic = () => performance.now() } = options;
  yield* examination.place(signal);
  try {
    const schema = await checkSchema(store, options);
    yield schema;
    if (schema.outcome === "warn") {
      yield skipped("store.open", "there is no journal of this version yet");
      return;
    }
  } catch (error) {
    yield unusable("store.schema", error, url);
    if (saysDamaged(error)) yield* examination.journal(signal);
    return;
  }
  try {
    await store.open({ signal });
    yield ok("store.open", `${store.capabilities.kind}, opened`);
  } catch (error) {
    yield unusable("store.open", error, url);
    if (saysDamaged(error)) yield* examination.journal(signal);
    return;
  }
  let isDamaged = false;
  for await (const finding of examination.journal(signal)) {
    isDamaged ||= finding.outcome === "fail";
    yield finding;
  }
  yield* watch.findings();
  yield await checkLatency(store, monotonic);
  if (isDamaged) {
    yield skipped("store.recovery", "nothing is written to a journal with these faults");
    return;
  }
  yield await checkScratch({ url, env }, access);
  yield selfTest
    ? await checkRecovery({ url, env, durable: store.capabilities.durable, signal })
    : skipped("store.recovery", "left out: --no-self-test");
}

async function checkSchema(store: Store, options: StoreCheckupOptions): Promise<Finding> {
  const id = "store.schema";
  const { steps } = await store.migrate({ dryRun: true });
  if (steps.length === 0) return ok(id, "up to date");
  const names = steps.map((step) => `${String(step.id).padStart(4, "0")} ${step.name}`).join(", ");
  return warn(
    id,
    `${steps.length} pending: ${names}; \`tape serve\` applies them at start, unless told not to`,
    ["tape migrate --dry-run --sql   # to see them", "tape migrate"],
    { does: `apply the pending migrations: ${names}`, run: () => migrate(options) },
  );
}

/** By the time of a repair the store that was examined is closed. */
async function migrate({ url, env }: StoreCheckupOptions): Promise<string> {
  const store = await createStore(url, { environment: env });
  try {
    const { steps } = await store.migrate({ dryRun: false });
    return `${steps.length} applied`;
  } finally {
    await store.close();
  }
}

const trips = 5;
const slowTripMs = 50;
const leastShownMs = 0.1;

/** The median of some reads of a row that is not there. */
async function checkLatency(store: Store, monotonic: () => number): Promise<Finding> {
  const id = "store.latency";
  const row = runRow(partitionOf(""), "run-of-tape-doctor");
  const took: number[] = [];
  try {
    for (let trip = 0; trip < trips; trip += 1) {
      const begun = monotonic();
      await store.read(row, { limit: 0 });
      took.push(monotonic() - begun);
    }
  } catch (error) {
    return unusable(id, error, "");
  }
  const median = took.toSorted((a, b) => a - b)[Math.floor(trips / 2)] ?? 0;
  const shown = median < leastShownMs ? `less than ${leastShownMs}` : median.toFixed(median < 10 ? 1 : 0);
  const says = `${shown} ms a read, the median of ${trips}`;
  return median > slowTripMs
    ? warn(id, `${says}: every decision and effect waits for one or two of these`, [
        "# run the server in the region and zone of its store",
      ])
    : ok(id, says);
}

const saysDamaged = (error: unknown): boolean => error instanceof TapeError && error.reason === "STORE_CORRUPT";

/** A store that cannot be used, with the command that shows or mends it. */
function unusable(
  id: "store.url" | "store.open" | "store.schema" | "store.latency",
  error: unknown,
  url: string,
): Finding {
  if (!(error instanceof TapeError)) throw error;
  switch (error.reason) {
    case "STORE_URL_INVALID":
      return fail(id, error.message, ["export TAPE_STORE=sqlite:./tape.db"]);
    case "CONFIG_INVALID":
      return fail(id, error.message, ["export TAPE_STORE=postgres://user@host/database   # or another of docs/stores"]);
    case "DRIVER_MISSING":
      return fail(id, error.message, [/npm install [^\s;,]+/.exec(error.message)?.[0] ?? "npm install"]);
    case "FORMAT_NEWER":
      return fail(id, error.message, ["npm install tape-journal@latest"]);
    default:
      return fail(
        id,
        error.message,
        url.startsWith("sqlite:") ? ["# see docs/stores/sqlite.md"] : ["tape doctor --gcp   # on Google Cloud"],
      );
  }
}
