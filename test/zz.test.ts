import { it } from "vitest";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import { engineHarness, seededRandom, tapeCases } from "../src/testing/index.ts";
import { FaultyStore } from "../src/testing/faulty-store.ts";
import { retryingTape } from "./retrying-tape.ts";
import { sharedStore } from "./store-views.ts";
it("x", async () => {
  const bad = new Map<string, string[]>();
  for (let round = 0; round < 16; round++) {
    let seed = 100000 * (round + 1);
    for (const k of tapeCases) {
      if (/1,000|8 MiB|16 MiB|2500|slower than/.test(k.name)) continue;
      seed++;
      const m = new MemoryStore(); await m.open();
      const f = new FaultyStore(m, { random: seededRandom(seed), rates: { interloper: 0.08 }, ...(round % 2 ? { atomicIndex: false as const } : {}) });
      const h = await engineHarness({ openStore: async () => sharedStore(f), wrap: retryingTape, engineClock: (clock) => ({ now: () => clock.now(), sleep: (ms, s) => ms > 1000 ? clock.sleep(ms, s) : clock.settle() }) });
      const timer = setTimeout(() => console.log("HANGS", seed, k.rule, k.name), 15000);
      try { await k.run(h); } catch (e) { const n = k.rule + " " + k.name; bad.set(n, [...(bad.get(n) ?? []), seed + ": " + String(e).slice(0, 700)]); } finally { clearTimeout(timer); await h.close().catch(() => 0); }
    }
  }
  for (const [n, es] of bad) console.log("##", n, es.length, "\n" + es[0]);
}, 900000);
