import { ok, skipped, untold, type Checkup, type Finding } from "../finding.ts";
import { callerAccess } from "./access/caller-access.ts";
import { serverAccess } from "./access/server-access.ts";
import { note } from "./commands.ts";
import type { Examination } from "./examination.ts";
import { defaultLongestPauseMs, defaultTimeoutMs, type GcpOptions } from "./gcp-options.ts";
import { googleEndpoints } from "./google/endpoints.ts";
import { GoogleApi } from "./google/google-api.ts";
import { signIn, type Caller } from "./google/sign-in.ts";
import { Installation } from "./installation.ts";
import { apisCheck } from "./project/apis-check.ts";
import { checkProject, projectFor } from "./project/project-check.ts";
import { secretExaminations } from "./secret/secret-checks.ts";
import { serviceExaminations } from "./service/service-checks.ts";
import { withTerraform } from "./terraform-notes.ts";
import { storeCheck, storeExaminations } from "./store/store-checks.ts";
import { placeOfStore } from "../../../store/open-store.ts";

const general: readonly Examination[] = [
  apisCheck,
  callerAccess,
  ...serviceExaminations,
  ...secretExaminations,
  storeCheck,
  serverAccess,
];

/**
 * The part of the check-up that looks at an installation on Google Cloud, through Google's REST APIs and the application
 * default credentials. Changes nothing. Only the store in use is looked at. What no account is there for, or what this
 * account may not see, is told as such.
 */
export function gcpCheckup(options: GcpOptions): Checkup {
  return async function* checkup(signal): AsyncGenerator<Finding> {
    const signedIn = await signIn(options, signal);
    signal.throwIfAborted();
    if (signedIn.kind === "refused") {
      yield untold("gcp.credentials", signedIn.says, signedIn.mend);
      yield skipped("gcp.project", "not looked at, because of gcp.credentials");
      yield* allBehind(general, "gcp.credentials");
      return;
    }
    const { caller } = signedIn;
    yield ok("gcp.credentials", `signed in as ${caller.name}`);
    yield* examineProject(options, caller, signal);
  };
}

async function* examineProject(options: GcpOptions, caller: Caller, signal: AbortSignal): AsyncGenerator<Finding> {
  const { timeoutMs = defaultTimeoutMs, longestPauseMs = defaultLongestPauseMs } = options;
  const place = await placeOfStore(options.storeUrl).catch(() => undefined);
  const project = projectFor(options, place, caller);
  if (project === undefined) {
    yield untold("gcp.project", "no project is named", [note("name it: tape doctor --gcp --project=PROJECT")]);
    yield* allBehind(general, "gcp.project");
    return;
  }
  const endpoints = { ...googleEndpoints, ...options.endpoints };
  // A person's calls are counted for a project, which the login may not name.
  caller.client.quotaProjectId ??= caller.member.startsWith("user:") ? project : undefined;
  const api = new GoogleApi({ client: caller.client, endpoints, timeoutMs, longestPauseMs, signal });
  const at = new Installation(options, project, caller, api);
  const { finding, goOn } = await checkProject(at);
  signal.throwIfAborted();
  yield finding;
  if (!goOn) {
    yield* allBehind(general, "gcp.project");
    return;
  }
  yield* examineAll(general, at, signal);
  yield* examineAll(await storeExaminations(at), at, signal);
}

/** All look at once, the API lets a few through at a time; findings come in the order of the list. */
async function* examineAll(
  list: readonly Examination[],
  at: Installation,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const running = list.map(({ examine }) => examine(at));
  for (const findings of running) findings.catch(() => undefined);
  for (const findings of running) {
    const found = await findings;
    signal.throwIfAborted();
    yield* found.map(withTerraform);
  }
}

function* allBehind(list: readonly Examination[], earlier: "gcp.credentials" | "gcp.project"): Generator<Finding> {
  for (const { ids } of list) for (const id of ids) yield skipped(id, `not looked at, because of ${earlier}`);
}
