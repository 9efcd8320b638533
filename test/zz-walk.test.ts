import { it } from "vitest";
import { MemoryStore } from "../src/store/memory/memory-store.ts";
import { engineHarness } from "../src/testing/index.ts";
import { createScene } from "../src/testing/test-tape/scene.ts";
import { randomWalk, stats } from "../src/testing/test-tape/random-walk.ts";
it("walks", async () => {
  let failed = 0;
  for (let seed = +(process.env.FROM??0); seed < +(process.env.TO??24) && failed < 3; seed++) {
    const h = await engineHarness({ openStore: async () => { const s = new MemoryStore(); await s.open(); return s; } });
    try { await randomWalk(createScene(h), seed, 60); } catch (e) { failed++; console.log(String(e).slice(-2500)); } finally { await h.close(); }
  }
  console.log([...stats].sort().map(([k,v])=>k+" "+v).join("\n"), "failed", failed);
}, 600000);
