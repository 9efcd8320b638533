import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeBigtable, describeSpanner } from "../emulators/shared-emulator.ts";
import { newJournal } from "../bigtable/journals.ts";
import { describePostgres, newSchema } from "../postgres/shared-server.ts";
import { experimental, newDatabase } from "../spanner/databases.ts";
import { campaign } from "./campaign.ts";
import { storyOf } from "./report.ts";
import { openStorePlace } from "./store-place.ts";

const program = join(import.meta.dirname, "../../dist/cli/main.js");

/** What is wrong with one short round on real servers, some of which fail meanwhile. */
async function faultsOf(
  storeUrl: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const found: string[] = [];
  const { summary, strange } = await campaign({
    program,
    storeUrl,
    environment,
    isDurable: true,
    servers: 2,
    machines: 4,
    seed,
    rounds: 1,
    objectsOfEach: 1,
    callsOfEach: 8,
    troubleEveryMs: 400,
    onViolation: (history, verdict) => found.push(`seed ${seed}`, ...storyOf(history, verdict)),
  });
  return [...found, ...strange, ...(summary.holds ? [] : summary.lines())];
}

const patience = { timeout: 90_000 };

describe("two servers that are killed and stand still now and then answer as one would that is not", () => {
  it("on a SQLite file", patience, async () => {
    const place = await openStorePlace(undefined);
    onTestFinished(place.remove);
    expect(await faultsOf(place.url, place.environment)).toEqual([]);
  });

  describePostgres("on PostgreSQL", () => {
    it("in a schema", patience, async () => {
      const schema = await newSchema();
      onTestFinished(() => schema.drop());
      expect(await faultsOf(schema.url)).toEqual([]);
    });
  });

  describeBigtable("on Bigtable", (host) => {
    it("on the emulator", patience, async () => {
      expect(await faultsOf(newJournal(host))).toEqual([]);
    });
  });

  describeSpanner("on Spanner", (host) => {
    it("on the emulator", patience, async () => {
      expect(await faultsOf(newDatabase(host), experimental)).toEqual([]);
    });
  });
});
