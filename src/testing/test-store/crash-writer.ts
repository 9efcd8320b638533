import type { Store } from "../../store/store.ts";
import { crashBody, crashEntriesPerVersion, crashHead } from "./crash-content.ts";
import { appendTo, entry, upTo } from "./material.ts";

/* A process that writes and reports what was acknowledged until it is killed: `crash-writer <module> <url> <prefix>`. */

const rowsPerBatch = 6;

async function write(store: Store, rows: readonly string[]): Promise<never> {
  for (let version = 0; ; version += 1) {
    const outcomes = await store.append(
      rows.map((row) => {
        const seqs = upTo(crashEntriesPerVersion).map((i) => version * crashEntriesPerVersion + i + 1);
        const entries = seqs.map((seq) => entry(seq, { body: crashBody(row, seq) }));
        return appendTo(row, version, { head: crashHead(row, version + 1), entries });
      }),
    );
    rows.forEach((row, i) => {
      if (outcomes[i]?.kind !== "committed") throw new Error(`${row} at ${version}: ${JSON.stringify(outcomes[i])}`);
      process.stdout.write(`${row} ${version + 1}\n`);
    });
  }
}

const [, , module = "", url = "", prefix = ""] = process.argv;
const { createStore } = (await import(module)) as { readonly createStore: (url: string) => Promise<Store> };
const store = await createStore(url);
await store.open();
await write(
  store,
  upTo(rowsPerBatch).map((i) => `${prefix}-${i}`),
);
