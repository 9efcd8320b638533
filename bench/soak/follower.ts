import { setTimeout as sleep } from "node:timers/promises";
import { TapeError, type EventEntry } from "../../src/client/index.ts";
import type { Caller } from "./caller.ts";
import { namespace } from "./scene.ts";
import type { Tally } from "./tally.ts";

/** What a subscription brought, all its parts together. */
export interface Followed {
  /** By run or value: the positions of its entries, the first one's first. */
  readonly positions: ReadonlyMap<string, readonly number[]>;
  /** What was written, by `key@version` of a value. */
  readonly values: ReadonlyMap<string, string>;
}

/** The value whose writing says that nothing comes behind it. */
export const endKey = "end";

/**
 * Follows the feed from its start to the value {@link endKey}, from server to server, always behind the last entry it
 * got; asserts on the way that positions rise and that no row has a gap or an entry twice.
 */
export async function follow(caller: Caller, tally: Tally, signal: AbortSignal): Promise<Followed> {
  const rows = new Map<string, number[]>();
  const values = new Map<string, string>();
  const followed: Followed = { positions: rows, values };
  let last = 0;
  const take = (entry: EventEntry): boolean => {
    tally.count("events delivered");
    const row = rowOf(entry);
    const positions = rows.get(row) ?? [];
    rows.set(row, positions);
    const { globalSeq, seq, subject } = entry;
    const where = `${caller.name} got ${subject}, seq ${seq}, at ${globalSeq}`;
    if (globalSeq <= last) tally.violation("feed disordered", `${where} after ${last}`);
    if (seq > positions.length + 1) tally.violation("feed lost", `${where} after seq ${positions.length}`);
    if (seq <= positions.length) tally.violation("feed duplicated", `${where} a second time`);
    positions[seq - 1] = globalSeq;
    last = globalSeq;
    const key = valueKey(entry);
    if (key !== undefined) values.set(`${key}@${seq}`, entry.payloadJson);
    return key === endKey;
  };
  while (!signal.aborted) {
    try {
      // Leaves now and then of its own accord, so that there are many seams.
      let left = 200 + caller.random.int(2_000);
      for await (const entry of caller.tape.subscribeEvents({ fromGlobalSeq: last }, { signal })) {
        if (take(entry)) return followed;
        left -= 1;
        if (left === 0) break;
      }
    } catch (error) {
      if (!(error instanceof TapeError)) throw error;
      if (signal.aborted) break;
      tally.count(`${error.code} seen`);
      if (!error.retryable) throw error;
      await sleep(10 + caller.random.int(50));
    }
    tally.count("feeds taken up");
    caller.switchServer();
  }
  tally.violation("feed lost", `${caller.name} never got what was written last; its last position is ${last}`);
  return followed;
}

const rowOf = (entry: EventEntry): string => (entry.runId === "" ? `value ${valueKey(entry) ?? ""}` : entry.runId);

function valueKey({ subject }: EventEntry): string | undefined {
  const [kind, , space, key] = subject.split("/").slice(2);
  return kind === "value" && space === namespace ? key : undefined;
}
