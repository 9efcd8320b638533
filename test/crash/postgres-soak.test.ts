import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openHost } from "../../bench/postgres-place.ts";
import type { Kill } from "../../bench/soak/killer.ts";
import { soak } from "../../bench/soak/soak.ts";
import type { Tally } from "../../bench/soak/tally.ts";
import { describePostgres } from "../postgres/shared-server.ts";

const program = join(import.meta.dirname, "../../dist/cli/main.js");

/** In acknowledged calls; the rest of the moment is as random as the load. */
const plan: readonly (readonly [number, Kill])[] = [
  [250, "server"],
  [600, "database"],
];
const enough = 900;

describePostgres("two servers on one PostgreSQL that is killed now and then, as they are", () => {
  it("lose nothing, do nothing twice, and their feed has no gap", { timeout: 120_000 }, async () => {
    const host = await openHost(undefined);
    onTestFinished(() => host.close());
    const seed = Math.floor(Math.random() * 2 ** 31);
    async function* kills(tally: Tally): AsyncGenerator<Kill, void> {
      for (const [at, what] of plan) {
        await tally.whenAcknowledged(at);
        yield what;
      }
      await tally.whenAcknowledged(enough);
    }
    const tally = await soak({ host, program, clients: 8, seed, kills });
    expect(tally.violations, `seed ${seed}`).toEqual([]);
    expect(tally.counted("kills: tape serve")).toBe(1);
    expect(tally.counted("kills: database server")).toBe(1);
    expect(tally.counted("runs")).toBeGreaterThan(0);
    expect(tally.counted("events delivered")).toBeGreaterThan(2 * tally.counted("entries"));
  });
});
