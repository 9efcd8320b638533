import { it } from "vitest";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import { engineHarness } from "../src/testing/index.ts";
import { createScene } from "../src/testing/test-tape/scene.ts";
import { randomWalk } from "../src/testing/test-tape/random-walk.ts";
it("walks", async () => {
  let failed = 0;
  for (let seed = 1000; seed < 4000 && failed < 4; seed++) {
    const h = await engineHarness({ openStore: async () => { const s = new MemoryStore(); await s.open(); return s; } });
    try { await randomWalk(createScene(h), seed, 120); } catch (e) { failed++; console.log(String(e).slice(-1800)); } finally { await h.close(); }
  }
  console.log("failed", failed);
}, 600000);
