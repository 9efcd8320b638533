import { gcpChecks, type GcpCheckId } from "../../../src/cli/doctor/gcp/gcp-checks.ts";
import type { FakeGoogle } from "./fake-google.ts";
import { errorText } from "./fake-google.ts";
import { denied, remove, set, type Fault } from "./fault.ts";
import { allOfService } from "./service-faults.ts";
import { doctor, paths, server, urls } from "./world.ts";

const login = "gcloud auth application-default login";
const all = Object.keys(gcpChecks) as GcpCheckId[];
const allBut = (...ids: readonly GcpCheckId[]): readonly GcpCheckId[] =>
  all.filter((id) => !ids.includes(id) && !/cloudsql|bigtable|spanner/.test(id));
const member = `serviceAccount:${doctor}`;

/** Credentials that do not work: one finding says so, and nothing else is looked at. */
const credentials: readonly Fault[] = (
  [
    {
      name: "google-auth-library is not installed",
      visit: { options: { loadLibrary: () => Promise.reject(new RangeError("not found")) } },
      id: "gcp.credentials",
      outcome: "untold",
      says: "google-auth-library, which finds Google's credentials, is not installed",
      mend: "npm install google-auth-library",
    },
    {
      name: "the key file is not there",
      visit: { options: { environment: { GOOGLE_APPLICATION_CREDENTIALS: "/nowhere/key.json" } } },
      id: "gcp.credentials",
      outcome: "untold",
      says: "the file that GOOGLE_APPLICATION_CREDENTIALS names cannot be read",
      mend: login,
    },
    {
      name: "the key file is cut off",
      visit: { keyFile: (google) => JSON.stringify(google.keyFile(doctor)).slice(0, 900) },
      id: "gcp.credentials",
      outcome: "untold",
      says: "is no credentials file: it is not JSON",
      mend: "unset GOOGLE_APPLICATION_CREDENTIALS",
    },
    {
      name: "the key file is some other JSON",
      visit: { keyFile: () => '{"installed": {"client_id": "1"}}' },
      id: "gcp.credentials",
      outcome: "untold",
      says: "it has no type",
      mend: login,
    },
    {
      name: "the key in the key file is damaged",
      visit: {
        keyFile: (google) =>
          keyFile(google, { private_key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" }),
      },
      id: "gcp.credentials",
      outcome: "untold",
      says: "holds no usable key",
      mend: `gcloud iam service-accounts keys create key.json --iam-account=${doctor}`,
    },
    {
      name: "the key was deleted",
      alter: (world) => {
        world.token = {
          status: 400,
          text: JSON.stringify({ error: "invalid_grant", error_description: "Invalid JWT Signature." }),
        };
      },
      id: "gcp.credentials",
      outcome: "untold",
      says: `Google does not accept the key of service account ${doctor}`,
      mend: `gcloud iam service-accounts keys create key.json --iam-account=${doctor}`,
    },
    {
      name: "the login has expired",
      alter: (world) => {
        world.token = {
          status: 400,
          text: JSON.stringify({ error: "invalid_grant", error_description: "Token has been expired or revoked." }),
        };
      },
      visit: {
        keyFile: () =>
          JSON.stringify({
            type: "authorized_user",
            client_id: "1",
            client_secret: "s-3cr3t",
            refresh_token: "1//r3fr3sh",
          }),
      },
      id: "gcp.credentials",
      outcome: "untold",
      says: "it has expired or was revoked",
      mend: login,
    },
    {
      name: "Google gives no tokens just now",
      alter: (world) => {
        world.token = { status: 503, text: "unavailable" };
      },
      id: "gcp.credentials",
      outcome: "untold",
      says: "Google gave no access token (503)",
      mend: "try again",
    },
    {
      name: "nobody answers when a token is asked for",
      alter: (world) => {
        world.token = "hang";
      },
      visit: { options: { timeoutMs: 150 } },
      id: "gcp.credentials",
      outcome: "untold",
      says: "Google gave no access token within 150 ms",
      mend: "check the network",
    },
  ] satisfies readonly Fault[]
).map((fault) => ({ ...fault, also: allBut("gcp.credentials") }));

const keyFile = (google: FakeGoogle, more: object): string => JSON.stringify({ ...google.keyFile(doctor), ...more });

const project: readonly Fault[] = [
  {
    name: "there is no such project",
    alter: (world) => {
      remove(world, paths.project);
    },
    id: "gcp.project",
    outcome: "fail",
    says: "there is no project shop",
    mend: "gcloud projects create shop",
    also: allBut("gcp.credentials", "gcp.project"),
  },
  {
    name: "the project is about to be deleted",
    alter: (world) => {
      set(world, paths.project, "state", "DELETE_REQUESTED");
    },
    id: "gcp.project",
    outcome: "fail",
    says: "project shop is DELETE_REQUESTED",
    mend: "gcloud projects undelete shop",
    also: allBut("gcp.credentials", "gcp.project"),
  },
  {
    name: "the project has no billing account",
    alter: (world) => {
      world.faults[paths.project] = {
        status: 403,
        text: errorText(403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", {
          reason: "BILLING_DISABLED",
          domain: "googleapis.com",
          metadata: { consumer: "projects/shop", service: "run.googleapis.com" },
        }),
      };
    },
    id: "gcp.project",
    outcome: "fail",
    says: "project shop has no billing account",
    mend: "gcloud billing projects link shop --billing-account=ACCOUNT_ID",
    also: allBut("gcp.credentials", "gcp.project"),
  },
  {
    name: "the credentials are of another project",
    store: "bigtable",
    visit: { options: { storeUrl: urls.bigtable }, keyFile: (google) => keyFile(google, { project_id: "other" }) },
    id: "gcp.project",
    outcome: "warn",
    says: "project shop is in use, but the credentials are of project other",
    mend: "--project=shop",
  },
  {
    name: "no project is named",
    visit: { keyFile: (google) => keyFile(google, { project_id: "", client_email: "doctor@example.com" }) },
    id: "gcp.project",
    outcome: "untold",
    says: "no project is named",
    mend: "tape doctor --gcp --project=PROJECT",
    also: allBut("gcp.credentials", "gcp.project"),
  },
  {
    name: "nobody answers",
    alter: (world) => {
      world.faults[paths.project] = "hang";
    },
    visit: { options: { timeoutMs: 300 } },
    id: "gcp.project",
    outcome: "untold",
    says: "project shop cannot be looked at: no answer within 300 ms",
    mend: "run tape doctor --gcp again",
    also: allBut("gcp.credentials", "gcp.project"),
  },
  {
    name: "this account may not look at the project",
    alter: (world) => {
      world.faults[paths.project] = denied("resourcemanager.projects.get");
    },
    id: "gcp.project",
    outcome: "untold",
    says: "may not look at project shop: it lacks resourcemanager.projects.get",
    mend: `gcloud projects add-iam-policy-binding shop --member=${member} --role=roles/browser`,
  },
  {
    name: "the API of the store is off",
    alter: (world) => {
      world.enabled = world.enabled.filter((name) => name !== "alloydb.googleapis.com");
    },
    id: "gcp.apis",
    outcome: "fail",
    says: "not enabled in project shop: alloydb.googleapis.com",
    mend: "gcloud services enable alloydb.googleapis.com --project=shop",
  },
  {
    name: "the installation is not monitored",
    alter: (world) => {
      world.enabled = world.enabled.filter((name) => name !== "monitoring.googleapis.com");
    },
    id: "gcp.apis",
    outcome: "warn",
    says: "monitoring.googleapis.com",
    mend: "gcloud services enable monitoring.googleapis.com --project=shop",
  },
  {
    name: "this account may not look at two things",
    alter: (world) => {
      world.lacking[paths.service] = ["run.services.getIamPolicy"];
      world.lacking[paths.secret] = ["secretmanager.versions.access"];
    },
    id: "gcp.access.caller",
    outcome: "untold",
    says: "lacks run.services.getIamPolicy on Cloud Run service tape, secretmanager.versions.access on secret tape-store",
    mend: `gcloud secrets add-iam-policy-binding tape-store --project=shop --member=${member} --role=roles/secretmanager.secretAccessor`,
  },
];

const unavailable = { status: 503, text: errorText(503, "UNAVAILABLE", "The service is currently unavailable.") };

/** Answers that say nothing. `store`: AlloyDB. */
const answers: readonly Fault[] = [
  {
    name: "this account may not look at the service",
    alter: (world) => {
      world.faults[paths.services] = denied("run.services.list");
    },
    store: "bigtable",
    visit: { options: { serviceAccount: server } },
    also: allOfService,
    id: "gcp.service.ready",
    outcome: "untold",
    says: "may not look at the Cloud Run services of project shop: it lacks run.services.list",
    mend: `gcloud projects add-iam-policy-binding shop --member=${member} --role=roles/run.viewer`,
  },
  {
    name: "this account may not read the secret",
    alter: (world) => {
      world.faults[paths.payload] = denied("secretmanager.versions.access");
    },
    id: "gcp.secret.store",
    outcome: "untold",
    says: "it lacks secretmanager.versions.access",
    mend: `gcloud secrets add-iam-policy-binding tape-store --project=shop --member=${member} --role=roles/secretmanager.secretAccessor`,
  },
  {
    name: "this account may not look at the secret's policy",
    alter: (world) => {
      world.faults[`${paths.secret}:getIamPolicy`] = denied("secretmanager.secrets.getIamPolicy");
    },
    id: "gcp.secret.readers",
    outcome: "untold",
    says: "it lacks secretmanager.secrets.getIamPolicy",
    mend: "--role=roles/secretmanager.viewer",
  },
  {
    name: "this account may not look at the project's policy",
    alter: (world) => {
      world.faults[`${paths.project}:getIamPolicy`] = denied("resourcemanager.projects.getIamPolicy");
    },
    id: "gcp.access.server",
    outcome: "untold",
    says: "the IAM policy of project shop cannot be looked at",
    mend: "--role=roles/alloydb.client",
  },
  {
    name: "an older API refuses in words only",
    alter: (world) => {
      world.faults[paths.instance] = {
        status: 403,
        text: errorText(403, "PERMISSION_DENIED", "Permission alloydb.instances.get denied for alloydb.googleapis.com"),
      };
    },
    id: "gcp.alloydb.instance",
    outcome: "untold",
    says: "it lacks alloydb.instances.get",
    mend: "--role=roles/alloydb.viewer",
    also: ["gcp.alloydb.availability"],
  },
  {
    name: "the AlloyDB API is off where the calls are counted",
    alter: (world) => {
      world.faults[paths.cluster] = {
        status: 403,
        text: errorText(
          403,
          "PERMISSION_DENIED",
          "AlloyDB API has not been used in project 424242 before or it is disabled.",
          {
            reason: "SERVICE_DISABLED",
            domain: "googleapis.com",
            metadata: { consumer: "projects/424242", service: "alloydb.googleapis.com" },
          },
        ),
      };
    },
    id: "gcp.alloydb.cluster",
    outcome: "untold",
    says: "alloydb.googleapis.com is not enabled in project 424242",
    mend: "gcloud services enable alloydb.googleapis.com --project=shop",
    also: ["gcp.alloydb.backups"],
  },
  {
    name: "calls may not be counted for the project",
    alter: (world) => {
      world.faults[paths.account] = {
        status: 403,
        text: errorText(403, "PERMISSION_DENIED", "Caller does not have required permission to use project shop.", {
          reason: "USER_PROJECT_DENIED",
          domain: "googleapis.com",
          metadata: { consumer: "projects/shop", service: "iam.googleapis.com" },
        }),
      };
    },
    id: "gcp.service.identity",
    outcome: "untold",
    says: "may not call APIs on behalf of project shop",
    mend: "--role=roles/serviceusage.serviceUsageConsumer",
  },
  {
    name: "Google has had too many requests",
    alter: (world) => {
      world.faults[paths.version] = { status: 429, text: errorText(429, "RESOURCE_EXHAUSTED", "Quota exceeded.") };
    },
    id: "gcp.secret.version",
    outcome: "untold",
    says: "it has had too many requests (429 RESOURCE_EXHAUSTED)",
    mend: "run tape doctor --gcp again",
  },
  {
    name: "Google fails",
    alter: (world) => {
      world.faults[paths.cluster] = { status: 500, text: errorText(500, "INTERNAL", "Internal error encountered.") };
    },
    id: "gcp.alloydb.cluster",
    outcome: "untold",
    says: "it failed (500 INTERNAL)",
    mend: "run tape doctor --gcp again",
    also: ["gcp.alloydb.backups"],
  },
  {
    name: "Google is not available",
    alter: (world) => {
      world.faults[`${paths.service}:testIamPermissions`] = unavailable;
    },
    id: "gcp.access.caller",
    outcome: "untold",
    says: "it failed (503 UNAVAILABLE)",
    mend: "run tape doctor --gcp again",
  },
  {
    name: "Google does not answer",
    alter: (world) => {
      world.faults[paths.account] = "hang";
    },
    visit: { options: { timeoutMs: 300 } },
    id: "gcp.service.identity",
    outcome: "untold",
    says: "no answer within 300 ms",
    mend: "run tape doctor --gcp again",
  },
  {
    name: "the token is not accepted any more",
    alter: (world) => {
      world.faults[paths.account] = { status: 401, text: errorText(401, "UNAUTHENTICATED", "Invalid credentials.") };
    },
    id: "gcp.service.identity",
    outcome: "untold",
    says: "it does not accept the credentials (401 UNAUTHENTICATED)",
    mend: "run tape doctor --gcp again",
  },
  {
    name: "something between answers with a page",
    alter: (world) => {
      world.faults["serviceusage/v1/projects/shop/services:batchGet"] = {
        status: 200,
        text: "<html><body>Log in to the hotel's network</body></html>",
      };
    },
    id: "gcp.apis",
    outcome: "untold",
    says: "it answered with something that is no JSON object",
    mend: "run tape doctor --gcp again",
  },
  {
    name: "an answer has another shape",
    alter: (world) => {
      world.faults[paths.instance] = {
        status: 200,
        text: '{"state": ["READY"], "instanceType": 7, "availabilityType": {}}',
      };
    },
    id: "gcp.alloydb.instance",
    outcome: "fail",
    says: "is of unknown state",
    mend: "gcloud alloydb instances describe",
  },
  {
    name: "an answer is a list",
    alter: (world) => {
      world.faults[paths.cluster] = { status: 200, text: "[]" };
    },
    id: "gcp.alloydb.cluster",
    outcome: "untold",
    says: "no JSON object",
    mend: "run tape doctor --gcp again",
    also: ["gcp.alloydb.backups"],
  },
];

export const generalFaults: readonly Fault[] = [...credentials, ...project, ...answers];
