import { describe, expect, it } from "vitest";
import type { Finding } from "../../../src/cli/doctor/finding.ts";
import { gcpChecks } from "../../../src/cli/doctor/gcp/gcp-checks.ts";
import { examine, type Examined } from "./check-up.ts";
import { faults } from "./faults.ts";
import { healthy, password, urls, type StoreKind } from "./world.ts";

const outcomeOf = ({ outcome, untold }: Finding): string => (untold === true ? "untold" : outcome);

/** How each check comes out where all is well. Looked up once an installation. */
const well = new Map<StoreKind, Promise<ReadonlyMap<string, string>>>();

function outcomes(store: StoreKind): Promise<ReadonlyMap<string, string>> {
  const known = well.get(store) ?? examine({ world: healthy(store) }).then(byId);
  well.set(store, known);
  return known;
}

const byId = ({ findings }: Examined): ReadonlyMap<string, string> =>
  new Map(findings.map((finding) => [finding.id, outcomeOf(finding)]));

/** Lines of the page, in the order of the faults. */
const rows: string[] = [];

const pageOf = (lines: readonly string[]): string => `# Mistakes on Google Cloud, and what tape doctor finds

What the tests do to an installation in which all is well, and the finding that tells of it. The page is made by them: after a
change run \`npx vitest run test/doctor/gcp/faults -u\`. What each check looks at is in [gcp.md](gcp.md).

| mistake | finding | outcome | what it says |
|---|---|---|---|
${lines.join("\n")}
`;

/** Within a table a bar would end the cell. */
const cell = (text: string): string => text.replaceAll("|", String.raw`\|`);

describe("tape doctor --gcp", () => {
  it.each(faults)(
    "$id: $name",
    async ({ name, store = "alloydb", alter, visit, id, outcome, says, mend, also = [] }) => {
      const world = healthy(store);
      alter?.(world);
      const examined = await examine({ ...visit, world });
      const found = examined.findings.filter((finding) => finding.id === id);
      expect(found).toHaveLength(1);
      const [finding] = found;
      expect(finding?.says).toContain(says);
      expect(finding === undefined ? "" : outcomeOf(finding)).toBe(outcome);
      expect(finding?.mend?.join("\n")).toContain(mend);

      // Nothing else is wrong, unless it follows from it.
      const [before, after] = [await outcomes(store), byId(examined)];
      const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
        (one) => before.get(one) !== after.get(one),
      );
      expect(changed.filter((one) => one !== id).toSorted()).toEqual([...also].toSorted());

      // Every finding has a sentence and an end, and none tells a secret.
      const text = JSON.stringify(examined.findings);
      for (const secret of [
        ...examined.secrets,
        password,
        urls.alloydb,
        urls.cloudsql,
        "s-3cr3t",
        "r3fr3sh",
        "hotel",
      ]) {
        expect(text).not.toContain(secret);
      }
      for (const one of examined.findings) expect(one.mend?.length !== 0 || outcomeOf(one) !== "fail").toBe(true);
      expect(examined.google.strangers).toEqual([]);
      rows.push(
        `| ${cell(name)} | [\`${id}\`](gcp.md#${id.replaceAll(".", "")}) | ${outcome} | ${cell(finding?.says ?? "")} |`,
      );
    },
  );

  it("has a mistake for every check", () => {
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
    expect([...new Set(faults.map(({ id }) => id))].toSorted()).toEqual(Object.keys(gcpChecks).toSorted());
  });

  it("has its mistakes in a page that is made from this test", async () => {
    expect(rows).toHaveLength(faults.length);
    await expect(pageOf(rows)).toMatchFileSnapshot("../../../docs/doctor/gcp-faults.md");
  });
});
