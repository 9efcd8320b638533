import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import type { Store } from "../../store/store.ts";
import { appendTo, commit, feedOf, rowId, upTo, within } from "./material.ts";
import { crashBody, crashEntriesPerVersion, crashHead } from "./crash-content.ts";
import { storeCase, type StoreCase } from "./store-case.ts";
import type { CrashTarget } from "./store-harness.ts";

const patienceMs = 30_000;

/** What the killed process was told is durable: row to version. */
type Acknowledged = ReadonlyMap<string, number>;

/** Lets a child process append until it has acknowledged that many commits, and kills it in the middle of the next. */
async function writeUntilKilled(target: CrashTarget, prefix: string, acknowledgements: number): Promise<Acknowledged> {
  const program = createRequire(import.meta.url).resolve("#store-crash-writer");
  const child = spawn(process.execPath, [program, target.module, target.url, prefix], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const acknowledged = new Map<string, number>();
  const listening = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const [row = "", version = ""] = line.split(" ");
      acknowledged.set(row, Number(version));
      // What it says after this is still read: it was said before the end.
      if ([...acknowledged.values()].reduce((sum, n) => sum + n, 0) >= acknowledgements) child.kill("SIGKILL");
    }
  })();
  try {
    await within(patienceMs, "the writer process", Promise.all([exited, listening]));
  } finally {
    child.kill("SIGKILL");
  }
  assert.equal(child.signalCode, "SIGKILL", "the writer process ended by itself");
  return acknowledged;
}

async function mustHold(store: Store, acknowledged: Acknowledged): Promise<number> {
  let entriesFound = 0;
  for (const [row, version] of acknowledged) {
    const slice = await store.read(rowId(row), { bodies: true });
    assert.ok(
      slice !== null && slice.version >= version,
      `${row} was acknowledged at ${version}, found ${slice?.version}`,
    );
    assert.ok(slice.version <= version + 1, `${row} is at ${slice.version}, more than was ever under way`);
    assert.deepEqual(slice.head, crashHead(row, slice.version), "the head is of another version than the row");
    assert.deepEqual(
      slice.entries.map(({ seq, body }) => [seq, body]),
      upTo(slice.version * crashEntriesPerVersion).map((i) => [i + 1, crashBody(row, i + 1)]),
      "a torn commit",
    );
    entriesFound += slice.entries.length;
  }
  return entriesFound;
}

/** What is acknowledged survives SIGKILL. */
export const crashCases: readonly StoreCase[] = [1, 40, 400].map((acknowledgements) =>
  storeCase(
    `crash: everything acknowledged is there after SIGKILL, ${acknowledgements} commits in`,
    async ({ store, harness, reopen }) => {
      const target = harness.crash?.(store);
      if (target === undefined) throw new TypeError("this case needs a harness with crash");
      const acknowledged = await writeUntilKilled(target, `crash-${acknowledgements}`, acknowledgements);
      assert.ok(acknowledged.size > 0);
      const again = await reopen();
      // Through a new object, and through the one that was open all the time.
      const entries = await mustHold(again, acknowledged);
      await mustHold(store, acknowledged);
      assert.ok((await feedOf(again, entries)).length >= entries, "the feed lacks entries");
      await commit(again, appendTo("after", 0));
      await commit(store, appendTo("after", 1));
    },
    "crash",
  ),
);
