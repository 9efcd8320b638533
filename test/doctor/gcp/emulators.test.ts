import { randomUUID } from "node:crypto";
import { expect, it, onTestFinished } from "vitest";
import type { Finding } from "../../../src/cli/doctor/finding.ts";
import { placeOptions } from "../../../src/store/bigtable/connection.ts";
import { loadDriver, type TableInfo } from "../../../src/store/bigtable/driver.ts";
import { once } from "../../../src/store/google/client-options.ts";
import { describeBigtable, describeSpanner } from "../../emulators/shared-emulator.ts";
import { examine } from "./check-up.ts";
import { SpannerGateway } from "./spanner-gateway.ts";
import { healthy } from "./world.ts";

const of = (findings: readonly Finding[], area: string): readonly (readonly [string, string, string])[] =>
  findings.filter(({ id }) => id.startsWith(`gcp.${area}.`)).map(({ id, outcome, says }) => [id, outcome, says]);

describeBigtable("tape doctor --gcp, with the table in Google's emulator", (host) => {
  const create = async (columnFamilies: TableInfo["columnFamilies"]): Promise<string> => {
    const client = (await loadDriver()).tableAdmin(await placeOptions({ project: "shop", emulator: host }));
    onTestFinished(() => client.close());
    const tableId = `t-${randomUUID().slice(0, 8)}`;
    const table = columnFamilies === undefined ? {} : { columnFamilies };
    await client.createTable({ parent: "projects/shop/instances/journals", tableId, table }, once(10_000));
    return tableId;
  };
  const table = async (name: string): Promise<Finding | undefined> => {
    const { findings } = await examine({
      world: healthy("bigtable"),
      options: { storeUrl: `bigtable://shop/journals/${name}` },
      extraEnvironment: { BIGTABLE_EMULATOR_HOST: host },
    });
    return findings.find(({ id }) => id === "gcp.bigtable.table");
  };

  it("sees a table as a journal needs it", async () => {
    expect(await table(await create({ m: { gcRule: { maxNumVersions: 1 } } }))).toMatchObject({
      outcome: "ok",
      says: expect.stringContaining("has the one family m, with one version a cell"),
    });
  });

  it.each([
    ["a table that is missing", undefined, "there is no table missing"],
    ["one without families", {}, "has no column family m"],
    ["one with another family", { cf1: { gcRule: { maxNumVersions: 1 } } }, "has no column family m"],
    ["one that keeps every version", { m: {} }, "keeps every version of a cell"],
    ["one that keeps two", { m: { gcRule: { maxNumVersions: 2 } } }, "keeps 2 versions of a cell"],
  ])("sees %s", async (_, families, says) => {
    const name = families === undefined ? "missing" : await create(families);
    expect(await table(name)).toMatchObject({ outcome: "fail", says: expect.stringContaining(says) });
  });

  it("warns of a table that something else uses too", async () => {
    const name = await create({ m: { gcRule: { maxNumVersions: 1 } }, other: {} });
    expect(await table(name)).toMatchObject({ outcome: "warn", says: expect.stringContaining("other") });
  });

  it("looks at no instance and no profile, which an emulator does not have", async () => {
    const name = await create({ m: { gcRule: { maxNumVersions: 1 } } });
    const { findings } = await examine({
      world: healthy("bigtable"),
      options: { storeUrl: `bigtable://shop/journals/${name}?emulator=${host}` },
    });
    expect(of(findings, "bigtable").map(([id, outcome]) => [id, outcome])).toEqual([
      ["gcp.bigtable.instance", "skipped"],
      ["gcp.bigtable.table", "ok"],
      ["gcp.bigtable.profile", "skipped"],
    ]);
    expect(findings.filter(({ untold }) => untold === true)).toEqual([]);
  });
});

describeSpanner("tape doctor --gcp, with the database in Google's emulator", () => {
  it("reads instance and database as its REST gateway tells them", async () => {
    await using gateway = await SpannerGateway.open();
    const examined = async (): Promise<readonly (readonly [string, string, string])[]> => {
      const { findings } = await examine({ world: healthy("spanner"), endpointAt: { spanner: gateway.url } });
      return of(findings, "spanner");
    };
    // The service answers 404; of this gateway it is known that it cannot put errors into words.
    const unknown = await examined();
    expect(unknown.map(([id, outcome]) => [id, outcome])).toContainEqual(["gcp.spanner.instance", "skipped"]);

    await gateway.post("/v1/projects/shop/instances", {
      instanceId: "journals",
      instance: { config: "projects/shop/instanceConfigs/emulator-config", displayName: "journals", nodeCount: 1 },
    });
    await gateway.post("/v1/projects/shop/instances/journals/databases", { createStatement: "CREATE DATABASE `tape`" });
    const found = await examined();
    expect(found).toContainEqual(["gcp.spanner.instance", "ok", "Spanner instance journals is ready"]);
    expect(found).toContainEqual(["gcp.spanner.database", "ok", "database tape of Spanner instance journals is ready"]);
  });

  it("looks at neither where only the port for gRPC is known", async () => {
    const { findings } = await examine({
      world: healthy("spanner"),
      endpointAt: { spanner: undefined },
      extraEnvironment: { SPANNER_EMULATOR_HOST: "127.0.0.1:1" },
    });
    expect(of(findings, "spanner").map(([id, outcome]) => [id, outcome])).toEqual([
      ["gcp.spanner.experimental", "warn"],
      ["gcp.spanner.instance", "skipped"],
      ["gcp.spanner.database", "skipped"],
      ["gcp.spanner.switch", "ok"],
    ]);
  });
});
