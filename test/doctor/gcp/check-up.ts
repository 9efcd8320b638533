import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Finding } from "../../../src/cli/doctor/finding.ts";
import { gcpCheckup } from "../../../src/cli/doctor/gcp/gcp-checkup.ts";
import type { Endpoints } from "../../../src/cli/doctor/gcp/google/endpoints.ts";
import type { GcpOptions } from "../../../src/cli/doctor/gcp/gcp-options.ts";
import { FakeGoogle } from "./fake-google.ts";
import { redirectedLibrary } from "./redirected-library.ts";
import { doctor, type World } from "./world.ts";

/** What came of a check-up of a world. */
export interface Examined {
  readonly findings: readonly Finding[];
  readonly google: Pick<FakeGoogle, "requests" | "strangers" | "quotaProjects">;
  /** What must not be in any finding. */
  readonly secrets: readonly string[];
}

/** What a test changes. */
export interface Visit {
  readonly world: World;
  readonly options?: Partial<GcpOptions>;
  /** The text of the key file. Default: that of the service account `doctor`. */
  readonly keyFile?: (google: FakeGoogle) => string;
  /** Whose key it is. */
  readonly email?: string;
  /** Variables beside the one that names the key file. */
  readonly extraEnvironment?: Readonly<Record<string, string>>;
  /** APIs that are elsewhere; `undefined`: where Google has them. */
  readonly endpointAt?: Readonly<Partial<Record<keyof Endpoints, string | undefined>>>;
  /** Stops it. Default: nothing does. */
  readonly signal?: AbortSignal;
}

/** The check-up of a world, over HTTP, with credentials as people have them. */
export async function examine({
  world,
  options = {},
  keyFile,
  email = doctor,
  signal,
  extraEnvironment,
  endpointAt,
}: Visit): Promise<Examined> {
  await using google = await FakeGoogle.open(world);
  const folder = await mkdtemp(join(tmpdir(), "tape-doctor-"));
  try {
    const key = google.keyFile(email);
    const path = join(folder, "key.json");
    await writeFile(path, keyFile?.(google) ?? JSON.stringify(key), { mode: 0o600 });
    const checkup = gcpCheckup({
      storeUrl: "sqlite:./tape.db",
      environment: { ...extraEnvironment, GOOGLE_APPLICATION_CREDENTIALS: path },
      endpoints: endpointsOf(google, endpointAt),
      longestPauseMs: 1,
      loadLibrary: redirectedLibrary(`${google.url}/token`),
      ...options,
    });
    const findings: Finding[] = [];
    for await (const finding of checkup(signal ?? new AbortController().signal)) findings.push(finding);
    const { requests, strangers, quotaProjects, token } = google;
    const lines = key.private_key.split("\n").filter((line) => line.length > 40);
    return {
      findings,
      google: { requests, strangers, quotaProjects },
      secrets: [token, key["private_key_id"] ?? "", ...lines],
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function endpointsOf(google: FakeGoogle, elsewhere: Visit["endpointAt"] = {}): Partial<Endpoints> {
  const all = Object.entries({ ...google.endpoints, ...elsewhere });
  return Object.fromEntries(all.filter(([, url]) => url !== undefined));
}
