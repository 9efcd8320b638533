import { describe, expect, it } from "vitest";
import { examine } from "./check-up.ts";
import { healthy, paths } from "./world.ts";

const user = JSON.stringify({
  type: "authorized_user",
  client_id: "764086051850-abc.apps.googleusercontent.com",
  client_secret: "s-3cr3t",
  refresh_token: "1//r3fr3sh",
});

describe("signing in", () => {
  it("tells whose login it is, by asking Google", async () => {
    const world = healthy("bigtable");
    world.resources["oauth2/tokeninfo"] = { email: "ana@example.com" };
    const { findings, google } = await examine({ world, keyFile: () => user, options: { project: "shop" } });
    expect(findings[0]).toMatchObject({ outcome: "ok", says: "signed in as ana@example.com (gcloud's login)" });
    expect(findings.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(google.strangers).toEqual([]);
    // A person's calls are counted for the project that is checked.
    expect(new Set(google.quotaProjects)).toEqual(new Set(["shop"]));
  });

  it("goes on without a name, and says what it would need one for", async () => {
    const world = healthy("bigtable");
    world.lacking[paths.table] = ["bigtable.tables.get"];
    const { findings } = await examine({ world, keyFile: () => user, options: { project: "shop" } });
    expect(findings[0]).toMatchObject({
      outcome: "ok",
      says: "signed in as a person of unknown address (gcloud's login)",
    });
    expect(findings.find(({ id }) => id === "gcp.access.caller")?.mend).toEqual([
      "gcloud projects add-iam-policy-binding shop --member=user:YOUR_ADDRESS --role=roles/bigtable.viewer --condition=None",
    ]);
  });

  it("finds no credentials where there are none", async () => {
    const world = healthy("bigtable");
    // What the library looks at besides, in this process: nothing that could be there.
    const before = { ...process.env };
    Object.assign(process.env, {
      CLOUDSDK_CONFIG: "/nowhere",
      METADATA_SERVER_DETECTION: "none",
      GOOGLE_APPLICATION_CREDENTIALS: "",
    });
    try {
      const { findings } = await examine({ world, options: { environment: {}, timeoutMs: 5000 } });
      expect(findings[0]).toMatchObject({
        id: "gcp.credentials",
        outcome: "skipped",
        untold: true,
        mend: ["gcloud auth application-default login"],
      });
      expect(findings[0]?.says).toContain("there are no credentials for Google Cloud");
      expect(findings.slice(1).filter(({ outcome, untold }) => outcome !== "skipped" || untold === true)).toEqual([]);
      expect(findings.length).toBeGreaterThan(15);
    } finally {
      for (const name of ["CLOUDSDK_CONFIG", "METADATA_SERVER_DETECTION", "GOOGLE_APPLICATION_CREDENTIALS"]) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });
});
