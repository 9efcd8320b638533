import type { GcpCheckId } from "../../../src/cli/doctor/gcp/gcp-checks.ts";
import { at, drop, listAt, remove, set, type Fault } from "./fault.ts";
import { listed, password, paths, server, urls } from "./world.ts";

/** What cannot be looked at without the service. */
export const allOfService: readonly GcpCheckId[] = [
  "gcp.service.image",
  "gcp.service.ingress",
  "gcp.service.invokers",
  "gcp.service.instances",
  "gcp.service.cpu",
  "gcp.service.http2",
  "gcp.service.startup",
  "gcp.service.liveness",
  "gcp.service.requests",
  "gcp.service.store",
  "gcp.service.identity",
  "gcp.service.auth",
];

/** What can be wrong with the Cloud Run service. */
export const serviceFaults: readonly Fault[] = [
  {
    name: "there is no service of that name",
    store: "bigtable",
    alter: (world) => {
      set(world, paths.services, "items", [listed("other", "europe-west1")]);
    },
    id: "gcp.service.ready",
    outcome: "fail",
    says: "there is no Cloud Run service tape in any region",
    mend: "gcloud run deploy tape --project=shop --region=REGION",
    also: [...allOfService, "gcp.secret.readers", "gcp.access.server"],
  },
  {
    name: "the service is not in the region that was named",
    store: "bigtable",
    visit: { options: { region: "us-east1", serviceAccount: server } },
    id: "gcp.service.ready",
    outcome: "fail",
    says: "there is no Cloud Run service tape in us-east1",
    mend: "gcloud run deploy tape --project=shop --region=us-east1",
    also: allOfService,
  },
  {
    name: "the service is in two regions, and none was named",
    store: "bigtable",
    alter: (world) => {
      listAt(world, paths.services, "items").push(listed("tape", "us-east1"));
    },
    visit: { options: { serviceAccount: server } },
    id: "gcp.service.ready",
    outcome: "untold",
    says: "there are Cloud Run services tape in europe-west1, us-east1",
    mend: "--region=europe-west1",
    also: allOfService,
  },
  {
    name: "a region does not answer",
    store: "bigtable",
    alter: (world) => {
      Object.assign(at(world, paths.services), { items: [], unreachable: ["us-east1"] });
    },
    visit: { options: { serviceAccount: server } },
    id: "gcp.service.ready",
    outcome: "untold",
    says: "us-east1",
    mend: "--region=REGION",
    also: allOfService,
  },
  {
    name: "the latest revision does not start",
    alter: (world) => {
      set(world, paths.service, "terminalCondition", {
        type: "Ready",
        state: "CONDITION_FAILED",
        revisionReason: "CONTAINER_MISSING",
        message: `Revision is not ready; TAPE_STORE=${urls.alloydb}`,
      });
    },
    id: "gcp.service.ready",
    outcome: "fail",
    says: "is not ready: CONTAINER_MISSING",
    mend: "gcloud run services logs read tape --project=shop --region=europe-west1",
  },
  {
    name: "the service is being deployed",
    alter: (world) => {
      set(world, paths.service, "reconciling", true);
    },
    id: "gcp.service.ready",
    outcome: "warn",
    says: "is being changed just now",
    mend: "# look again",
  },
  {
    name: "the service was deleted",
    alter: (world) => {
      set(world, paths.service, "deleteTime", "2026-01-01T00:00:00Z");
    },
    id: "gcp.service.ready",
    outcome: "fail",
    says: "has been deleted",
    mend: "# deploy it again",
  },
  {
    name: "requests go to an old revision",
    alter: (world) => {
      set(world, paths.service, "traffic", [
        { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", revision: "tape-00001-xyz", percent: 70 },
        { type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 30 },
      ]);
    },
    id: "gcp.service.ready",
    outcome: "warn",
    says: "70 % of the requests go to revisions before tape-00003-abc",
    mend: "gcloud run services update-traffic tape --project=shop --region=europe-west1 --to-latest",
  },
  {
    name: "the image is named by a tag",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.image", "europe-west1-docker.pkg.dev/shop/tape/server:latest");
    },
    id: "gcp.service.image",
    outcome: "warn",
    says: "named by a tag",
    mend: "--image=europe-west1-docker.pkg.dev/shop/tape/server@sha256:DIGEST",
  },
  {
    name: "the image comes from Docker Hub",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.image", `docker.io/tape/server@sha256:${"b".repeat(64)}`);
    },
    id: "gcp.service.image",
    outcome: "warn",
    says: "does not come from Artifact Registry",
    mend: "gcloud artifacts docker images describe",
  },
  {
    name: "the server can be reached from the internet",
    alter: (world) => {
      set(world, paths.service, "ingress", "INGRESS_TRAFFIC_ALL");
    },
    id: "gcp.service.ingress",
    outcome: "warn",
    says: "requests may come from the internet",
    mend: "gcloud run services update tape --project=shop --region=europe-west1 --ingress=internal",
  },
  {
    name: "everybody may call the server",
    alter: (world) => {
      world.policies[paths.service]?.push({ role: "roles/run.invoker", members: ["allUsers"] });
    },
    id: "gcp.service.invokers",
    outcome: "fail",
    says: "everybody may call the server: allUsers (roles/run.invoker)",
    mend: "gcloud run services remove-iam-policy-binding tape --project=shop --region=europe-west1 --member=allUsers --role=roles/run.invoker",
  },
  {
    name: "everybody with a Google account may call the server",
    alter: (world) => {
      world.policies[paths.service]?.push({ role: "roles/run.invoker", members: ["allAuthenticatedUsers"] });
    },
    id: "gcp.service.invokers",
    outcome: "fail",
    says: "allAuthenticatedUsers",
    mend: "--member=allAuthenticatedUsers",
  },
  {
    name: "Cloud Run's check of callers is off",
    alter: (world) => {
      set(world, paths.service, "invokerIamDisabled", true);
    },
    id: "gcp.service.invokers",
    outcome: "fail",
    says: "the check for roles/run.invoker is switched off",
    mend: "--invoker-iam-check",
  },
  {
    name: "the server runs as the default account",
    alter: (world) => {
      drop(world, paths.service, "template.serviceAccount");
      const member = "serviceAccount:424242-compute@developer.gserviceaccount.com";
      for (const path of [paths.project, paths.secret]) {
        for (const binding of world.policies[path] ?? []) binding.members.push(member);
      }
    },
    id: "gcp.service.identity",
    outcome: "warn",
    says: "424242-compute@developer.gserviceaccount.com, which every service without an account of its own shares",
    mend: "gcloud iam service-accounts create tape-server --project=shop",
  },
  {
    name: "the server's account is disabled",
    alter: (world) => {
      set(world, paths.account, "disabled", true);
    },
    id: "gcp.service.identity",
    outcome: "fail",
    says: "is disabled",
    mend: `gcloud iam service-accounts enable ${server} --project=shop`,
  },
  {
    name: "the server's account was deleted",
    alter: (world) => {
      remove(world, paths.account);
    },
    id: "gcp.service.identity",
    outcome: "fail",
    says: `there is no service account ${server}`,
    mend: "gcloud iam service-accounts create tape-server --project=shop",
  },
  {
    name: "the server runs as another account than it should",
    visit: { options: { serviceAccount: "journal@shop.iam.gserviceaccount.com" } },
    id: "gcp.service.identity",
    outcome: "fail",
    says: "not as journal@shop.iam.gserviceaccount.com",
    mend: "--service-account=journal@shop.iam.gserviceaccount.com",
  },
  {
    name: "the server is not told who may call",
    alter: (world) => {
      listAt(world, paths.service, "template.containers.0.env").splice(2, 1);
    },
    id: "gcp.service.auth",
    outcome: "fail",
    says: "TAPE_AUTH is not set: the server refuses to start",
    mend: "--update-env-vars=TAPE_AUTH=token --update-secrets=TAPE_TOKENS=tape-tokens:latest",
  },
  {
    name: "the server takes everybody for its master",
    alter: (world) => {
      listAt(world, paths.service, "template.containers.0.env").splice(
        2,
        1,
        { name: "TAPE_AUTH", value: "none" },
        { name: "TAPE_INSECURE_NO_AUTH", value: "true" },
      );
    },
    id: "gcp.service.auth",
    outcome: "warn",
    says: "whoever may call the service may do everything in every tenant",
    mend: "--remove-env-vars=TAPE_INSECURE_NO_AUTH",
  },
  {
    name: "there may be no server",
    alter: (world) => {
      drop(world, paths.service, "scaling");
    },
    id: "gcp.service.instances",
    outcome: "warn",
    says: "timers do not fire",
    mend: "--min=1",
  },
  {
    name: "the number of servers is fixed at none",
    alter: (world) => {
      set(world, paths.service, "scaling", { scalingMode: "MANUAL", manualInstanceCount: 0 });
    },
    id: "gcp.service.instances",
    outcome: "warn",
    says: "timers do not fire",
    mend: "--scaling=1",
  },
  {
    name: "the CPU is throttled between requests",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.resources.cpuIdle", true);
    },
    id: "gcp.service.cpu",
    outcome: "warn",
    says: "during requests only",
    mend: "--no-cpu-throttling",
  },
  {
    name: "nothing is said about the CPU, so it is throttled",
    alter: (world) => {
      drop(world, paths.service, "template.containers.0.resources");
    },
    id: "gcp.service.cpu",
    outcome: "warn",
    says: "during requests only",
    mend: "--no-cpu-throttling",
  },
  {
    name: "HTTP/2 was not switched on",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.ports", [{ name: "http1", containerPort: 8080 }]);
    },
    id: "gcp.service.http2",
    outcome: "fail",
    says: "HTTP/1.1",
    mend: "--use-http2",
  },
  {
    name: "the startup probe asks only for the port",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.startupProbe", { tcpSocket: { port: 8080 } });
    },
    id: "gcp.service.startup",
    outcome: "warn",
    says: "requests come before the server has its store",
    mend: "--startup-probe=httpGet.path=/readyz",
  },
  {
    name: "the startup probe asks /healthz",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.startupProbe.httpGet.path", "/healthz");
    },
    id: "gcp.service.startup",
    outcome: "warn",
    says: "the startup probe asks /healthz",
    mend: "--container=server --startup-probe",
  },
  {
    name: "there is no liveness probe",
    alter: (world) => {
      drop(world, paths.service, "template.containers.0.livenessProbe");
    },
    id: "gcp.service.liveness",
    outcome: "warn",
    says: "one that hangs stays",
    mend: "--liveness-probe=httpGet.path=/healthz",
  },
  {
    name: "the liveness probe asks for the store",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.livenessProbe.httpGet.path", "/readyz");
    },
    id: "gcp.service.liveness",
    outcome: "warn",
    says: "while the store is away, servers are killed again and again",
    mend: "--liveness-probe=httpGet.path=/healthz",
  },
  {
    name: "a server takes one request at a time",
    alter: (world) => {
      set(world, paths.service, "template.maxInstanceRequestConcurrency", 1);
    },
    id: "gcp.service.requests",
    outcome: "warn",
    says: "calls wait behind streams",
    mend: "--concurrency=250",
  },
  {
    name: "requests end after ten seconds",
    alter: (world) => {
      set(world, paths.service, "template.timeout", "10s");
    },
    id: "gcp.service.requests",
    outcome: "warn",
    says: "streams are cut after 10 s",
    mend: "--timeout=3600",
  },
  {
    name: "the store URL comes from another secret",
    store: "bigtable",
    alter: (world) => {
      const old = { name: "TAPE_STORE", valueSource: { secretKeyRef: { secret: "old-store", version: "1" } } };
      listAt(world, paths.service, "template.containers.0.env").splice(1, 1, old);
    },
    visit: { options: { secret: "tape-store" } },
    id: "gcp.service.store",
    outcome: "warn",
    says: "TAPE_STORE comes from secret old-store, not from tape-store",
    mend: "--update-secrets=TAPE_STORE=tape-store:latest",
  },
  {
    name: "the store URL stands in the settings",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.env.1", { name: "TAPE_STORE", value: urls.alloydb });
    },
    id: "gcp.service.store",
    outcome: "fail",
    says: "password and all",
    mend: "--update-secrets=TAPE_STORE=tape-store:latest",
    also: ["gcp.secret.version", "gcp.secret.store", "gcp.secret.readers"],
  },
  {
    name: "a store URL without a password stands in the settings",
    store: "bigtable",
    alter: (world) => {
      set(world, paths.service, "template.containers.0.env.1", { name: "TAPE_STORE", value: urls.bigtable });
    },
    id: "gcp.service.store",
    outcome: "warn",
    says: "not in a secret",
    mend: "--remove-env-vars=TAPE_STORE",
    also: ["gcp.secret.version", "gcp.secret.store", "gcp.secret.readers"],
  },
  {
    name: "no store was named",
    store: "bigtable",
    alter: (world) => {
      listAt(world, paths.service, "template.containers.0.env").splice(1, 1);
    },
    visit: { options: { storeUrl: urls.bigtable } },
    id: "gcp.service.store",
    outcome: "fail",
    says: "the journal would be a file in the container",
    mend: "gcloud secrets create tape-store --project=shop --replication-policy=automatic",
    also: ["gcp.secret.version", "gcp.secret.store", "gcp.secret.readers"],
  },
  {
    name: "there is no proxy beside the server",
    alter: (world) => {
      listAt(world, paths.service, "template.containers").pop();
    },
    visit: { options: { storeUrl: `alloydb://tape:${password}@127.0.0.1:5432/tape` } },
    id: "gcp.service.proxy",
    outcome: "fail",
    says: "beside the server there is no proxy",
    mend: "gcloud run services replace tape.yaml",
    also: [
      "gcp.alloydb.cluster",
      "gcp.alloydb.backups",
      "gcp.alloydb.instance",
      "gcp.alloydb.availability",
      "gcp.alloydb.proxy",
    ],
  },
  {
    name: "the proxy has no startup probe",
    alter: (world) => {
      drop(world, paths.service, "template.containers.1.startupProbe");
    },
    id: "gcp.service.proxy",
    outcome: "fail",
    says: "alloydb-proxy has no startup probe",
    mend: "--container=alloydb-proxy --startup-probe=httpGet.path=/startup",
  },
  {
    name: "the server does not wait for the proxy",
    alter: (world) => {
      drop(world, paths.service, "template.containers.0.dependsOn");
    },
    id: "gcp.service.proxy",
    outcome: "fail",
    says: "the server does not wait for alloydb-proxy",
    mend: "--container=server --depends-on=alloydb-proxy",
  },
  {
    name: "the server does not wait for the proxy, which has no startup probe either",
    alter: (world) => {
      drop(world, paths.service, "template.containers.0.dependsOn");
      drop(world, paths.service, "template.containers.1.startupProbe");
    },
    id: "gcp.service.proxy",
    outcome: "fail",
    says: "and the server does not wait for it",
    mend: "--depends-on=alloydb-proxy",
  },
];
