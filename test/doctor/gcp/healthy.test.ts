import { describe, expect, it } from "vitest";
import { gcpChecks } from "../../../src/cli/doctor/gcp/gcp-checks.ts";
import { examine } from "./check-up.ts";
import { healthy, paths, server, urls, type StoreKind } from "./world.ts";

const stores = ["alloydb", "cloudsql", "bigtable", "spanner"] as const satisfies readonly StoreKind[];

/** The checks that an installation on this store goes through. */
const checksFor = (store: StoreKind): readonly string[] =>
  Object.keys(gcpChecks).filter((id) => {
    const [, area = ""] = id.split(".");
    if (id === "gcp.service.proxy") return store === "alloydb";
    return area === store || !stores.some((one) => one === area);
  });

describe("tape doctor --gcp of an installation in which all is well", () => {
  it.each(stores)("says so, and nothing of other stores: %s", async (store) => {
    const { findings } = await examine({ world: healthy(store) });
    expect(findings.map(({ id }) => id).toSorted()).toEqual(checksFor(store).toSorted());
    const wrong = findings.filter(({ outcome }) => outcome !== "ok").map(({ id, outcome }) => [id, outcome]);
    expect(wrong).toEqual(store === "spanner" ? [["gcp.spanner.experimental", "warn"]] : []);
  });

  it.each(stores)("asks each question once, changes nothing, and shows its token: %s", async (store) => {
    const { google } = await examine({ world: healthy(store) });
    expect(new Set(google.requests).size).toBe(google.requests.length);
    const asking = /^GET |^POST \S+:(?:getIamPolicy|testIamPermissions)$/;
    expect(google.requests.filter((one) => !asking.test(one))).toEqual([]);
    expect(google.strangers).toEqual([]);
    expect(google.requests.length).toBeLessThan(25);
  });

  it("takes the store that it is told, and says whether the secret names the same one", async () => {
    const { findings } = await examine({ world: healthy("alloydb"), options: { storeUrl: urls.alloydb } });
    const says = new Map(findings.map((finding) => [finding.id, finding.says]));
    expect(says.get("gcp.store")).toContain("as TAPE_STORE says here");
    expect(says.get("gcp.secret.store")).toContain("that of the store that is checked");
  });

  it("takes alloydb: and postgres: for two names of one store", async () => {
    const storeUrl = urls.alloydb.replace("postgres:", "alloydb:");
    const { findings } = await examine({ world: healthy("alloydb"), options: { storeUrl } });
    expect(findings.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
  });

  it("guesses AlloyDB by the proxy where nothing else says what the store is", async () => {
    const world = healthy("alloydb");
    delete world.resources[paths.payload];
    const { findings } = await examine({ world });
    expect(findings.find(({ id }) => id === "gcp.store")?.says).toContain("by the proxy beside the server");
    expect(findings.filter(({ outcome }) => outcome !== "ok").map(({ id }) => id)).toEqual(["gcp.secret.store"]);
  });

  it("goes straight to a region that is named", async () => {
    const { google, findings } = await examine({
      world: healthy("bigtable"),
      options: { region: "europe-west1", publicIngress: true, serviceAccount: server },
    });
    expect(findings.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(google.requests).not.toContain(`GET ${paths.services}`);
  });

  it("knows a Cloud SQL instance by its address, and leaves other servers alone", async () => {
    const { findings } = await examine({
      world: healthy("cloudsql"),
      options: { storeUrl: "postgres://tape:pw@10.30.0.7/tape" },
    });
    const store = findings.filter(({ id }) => id.startsWith("gcp.cloudsql."));
    expect(store.map(({ id, outcome }) => [id, outcome])).toEqual([
      ["gcp.cloudsql.instance", "ok"],
      ["gcp.cloudsql.backups", "ok"],
      ["gcp.cloudsql.availability", "ok"],
      ["gcp.cloudsql.network", "ok"],
    ]);
    for (const storeUrl of ["postgres://tape:pw@10.30.0.8/tape", "postgres://tape:pw@db.example.com/tape"]) {
      const other = await examine({ world: healthy("cloudsql"), options: { storeUrl } });
      expect(other.findings.filter(({ id }) => /cloudsql|alloydb/.test(id))).toEqual([]);
    }
  });

  it("looks at an AlloyDB instance that the URL names, or whose address it has", async () => {
    const name = "projects/shop/locations/europe-west1/clusters/main/instances/primary";
    for (const storeUrl of [
      `alloydb://tape@shop.iam@/tape?instance=${name}&iam=true`,
      "alloydb://tape:pw@10.20.0.5/tape",
    ]) {
      const world = healthy("alloydb");
      const { findings } = await examine({ world, options: { storeUrl } });
      const store = findings.filter(({ id }) => id.startsWith("gcp.alloydb."));
      expect(store.map(({ id, outcome }) => [id, outcome])).toEqual([
        ["gcp.alloydb.cluster", "ok"],
        ["gcp.alloydb.backups", "ok"],
        ["gcp.alloydb.instance", "ok"],
        ["gcp.alloydb.availability", "ok"],
        ["gcp.alloydb.network", "ok"],
      ]);
    }
  });
});
