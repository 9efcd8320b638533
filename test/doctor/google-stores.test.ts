import { describe, expect, it } from "vitest";
import { openTape } from "../../src/open-tape.ts";
import { examineBigtable } from "../../src/store/bigtable/examine-table.ts";
import { examineStore } from "../../src/store/open-store.ts";
import type { Finding } from "../../src/model/finding.ts";
import { Scene } from "../bigtable/fixture.ts";
import { tape } from "../cli/run-in-process.ts";
import { describeBigtable } from "../emulators/shared-emulator.ts";
import { findingsIn } from "./json-report.ts";

const collect = async (findings: AsyncIterable<Finding>): Promise<Finding[]> => {
  const found: Finding[] = [];
  for await (const finding of findings) found.push(finding);
  return found;
};
const signal = new AbortController().signal;

describeBigtable("tape doctor on Bigtable", (host) => {
  it("opens the journal, compares clocks, and a killed process costs nothing", async () => {
    const url = new Scene(host).url();
    const before = await tape(["doctor", "--json", "--no-self-test"], { env: { TAPE_STORE: url } });
    expect(findingsIn(before).findings["store.schema"]).toMatchObject({ outcome: "warn" });
    const { code, out, err } = await tape(["doctor", "--json", "--fix"], { env: { TAPE_STORE: url } });
    const { findings, all } = findingsIn({ code, out, err });
    expect(code).toBe(0);
    expect(all.filter(({ outcome }) => outcome === "warn").map(({ id }) => id)).toEqual(["bigtable.emulator"]);
    expect(findings["store.clock"]?.says).toMatch(/-?\d+ ms ahead of the store's/);
    expect(findings["store.recovery"]).toMatchObject({ outcome: "ok" });
  });

  it("names the largest rows, and how near the limit they are", async () => {
    const url = new Scene(host).url();
    const journal = await openTape(url, { reactors: false });
    const { runId, leaseEpoch } = await journal.beginRun({ appName: "a", userId: "u", invocationId: "large" });
    // Larger payloads would be kept apart.
    const responseJson = JSON.stringify("x".repeat(15_000));
    const decide = (decisionIndex: number): Promise<unknown> =>
      journal.recordDecision({ runId, decisionIndex, model: "m", requestJson: "{}", responseJson }, { leaseEpoch });
    await Promise.all(Array.from({ length: 100 }, (_, index) => decide(index)));
    await journal.beginRun({ appName: "a", userId: "u", invocationId: "small" });
    await journal.close();
    const [found] = await collect(examineBigtable(url, undefined).live(signal));
    expect(found).toMatchObject({ id: "bigtable.rows", outcome: "ok" });
    expect(found?.says).toMatch(
      new RegExp(`^2 rows looked at; the largest: \\S+${runId} 2 MiB, \\S+ 1 MiB; .* 192 MiB$`),
    );
  });
});

describe("tape doctor on Spanner", () => {
  it("always says that it is an experiment, and why", async () => {
    const { place } = await examineStore("spanner://project/instance/database", { environment: {} });
    await expect(collect(place(signal))).resolves.toMatchObject([
      {
        id: "spanner.experimental",
        outcome: "warn",
        says: expect.stringContaining("never measured on the real service"),
      },
      { id: "spanner.emulator", outcome: "ok" },
    ]);
  });

  it("says that an emulator is one", async () => {
    const environment = { SPANNER_EMULATOR_HOST: "127.0.0.1:1" };
    const { place } = await examineStore("spanner://project/instance/database", { environment });
    await expect(collect(place(signal))).resolves.toContainEqual(
      expect.objectContaining({ id: "spanner.emulator", outcome: "warn", mend: ["unset SPANNER_EMULATOR_HOST"] }),
    );
  });
});
