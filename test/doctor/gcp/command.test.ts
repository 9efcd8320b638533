import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endpointOverrides, overrideVariable } from "../../../src/cli/doctor/gcp/google/endpoint-overrides.ts";
import type { Endpoints } from "../../../src/cli/doctor/gcp/google/endpoints.ts";
import { findingsIn, type JsonReport } from "../json-report.ts";
import { FakeGoogle } from "./fake-google.ts";
import { faults } from "./faults.ts";
import { healthy, type World } from "./world.ts";
import { keepLog } from "../../kept-logs.ts";

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), "tape-doctor-home-"));
});
afterAll(() => rmSync(home, { recursive: true }));

/** The metadata server of a machine on Google Cloud: it gives the token of the account that the machine runs as. */
async function metadataServer(token: string, email: string): Promise<{ readonly host: string } & AsyncDisposable> {
  const answers: Readonly<Record<string, string>> = {
    "/computeMetadata/v1/project/project-id": "shop",
    "/computeMetadata/v1/instance/service-accounts/default/email": email,
    "/computeMetadata/v1/instance/service-accounts/default/token": JSON.stringify({
      access_token: token,
      expires_in: 3600,
      token_type: "Bearer",
    }),
  };
  const server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    response.setHeader("metadata-flavor", "Google");
    response.setHeader("content-type", path.endsWith("token") ? "application/json" : "text/text");
    response.end(answers[path] ?? "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The command itself, as it runs on a machine of that project. */
async function doctor(world: World, ...words: string[]): Promise<JsonReport & { readonly code: number | null }> {
  await using google = await FakeGoogle.open(world);
  await using metadata = await metadataServer(google.token, "doctor@shop.iam.gserviceaccount.com");
  const overrides = Object.entries<string>({ ...google.endpoints }).map(([api, url]) => [
    overrideVariable(api as keyof Endpoints),
    url,
  ]);
  const program = join(import.meta.dirname, "../../../dist/cli/main.js");
  const child = spawn(process.execPath, [program, "doctor", "--gcp", "--json", ...words], {
    env: {
      HOME: home,
      PATH: process.env["PATH"],
      GCE_METADATA_HOST: metadata.host,
      METADATA_SERVER_DETECTION: "assume-present",
      ...Object.fromEntries(overrides),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  keepLog(child, import.meta.filename);
  const texts: Record<"out" | "err", string> = { out: "", err: "" };
  child.stdout.on("data", (part: Buffer) => (texts.out += String(part)));
  child.stderr.on("data", (part: Buffer) => (texts.err += String(part)));
  const [code] = (await once(child, "close")) as [number | null];
  expect(texts.out).not.toContain(google.token);
  expect(google.strangers).toEqual([]);
  return { code, ...findingsIn({ ...texts, code: code ?? -1 }) };
}

const fault = (outcome: string): (typeof faults)[number] => {
  const found = faults.find(
    (one) =>
      one.outcome === outcome && one.id !== "gcp.credentials" && one.visit === undefined && one.alter !== undefined,
  );
  if (found === undefined) throw new Error(`no fault is ${outcome}`);
  return found;
};

describe("the command tape doctor --gcp", () => {
  it("ends with 0 where all is well, and looks at nothing of this machine", async () => {
    const { code, all } = await doctor(healthy("alloydb"));
    expect(all.filter(({ outcome }) => outcome !== "ok")).toEqual([]);
    expect(all.every(({ id }) => id.startsWith("gcp."))).toBe(true);
    expect(code).toBe(0);
  });

  it.each([
    ["fail", [], 2],
    ["warn", ["--strict"], 1],
    ["warn", [], 0],
    ["untold", [], 3],
  ] as const)("ends as the gravest finding says: %s %o is %d", async (outcome, words, code) => {
    const { store = "alloydb", alter, id } = fault(outcome);
    const world = healthy(store);
    alter?.(world);
    const examined = await doctor(world, ...words);
    expect(examined.findings[id]?.untold === true ? "untold" : examined.findings[id]?.outcome).toBe(outcome);
    expect(examined.code).toBe(code);
  });
});

describe("APIs at other addresses", () => {
  it("are named by gcloud's own variables", () => {
    expect(
      endpointOverrides({
        CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: "https://run.example/",
        CLOUDSDK_API_ENDPOINT_OVERRIDES_SQL: "http://127.0.0.1:1/sql",
        CLOUDSDK_API_ENDPOINT_OVERRIDES_SPANNER: "",
      }),
    ).toEqual({ run: "https://run.example", sqladmin: "http://127.0.0.1:1/sql" });
  });

  it.each(["http://run.example", "run.example", "ftp://run.example"])("%s gets no token", (address) => {
    expect(() => endpointOverrides({ CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN: address })).toThrow("must be an https://");
  });
});
