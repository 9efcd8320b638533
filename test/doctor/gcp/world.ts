/** What the APIs know. A test alters it before the check-up looks. */
export interface World {
  /** By API and path: what a GET gives. */
  readonly resources: Record<string, Json>;
  /** By the path of the resource: its bindings. */
  readonly policies: Record<string, { role: string; members: string[] }[]>;
  /** By the path of the resource: permissions that the caller does not have. */
  readonly lacking: Record<string, string[]>;
  /** By the full path: what is answered instead. */
  readonly faults: Record<string, WireAnswer | "hang">;
  enabled: string[];
  token: "given" | "hang" | WireAnswer;
}

/** An answer as it goes over the wire. */
interface WireAnswer {
  readonly status: number;
  readonly text: string;
}

/** A JSON object as the APIs have it. */
export type Json = Record<string, unknown>;

export type StoreKind = "alloydb" | "cloudsql" | "bigtable" | "spanner";

export const server = "tape-server@shop.iam.gserviceaccount.com";
export const doctor = "doctor@shop.iam.gserviceaccount.com";
export const password = "hunter2-very-secret";

/** The store URL of each installation. */
export const urls: Readonly<Record<StoreKind, string>> = {
  alloydb: `postgres://tape:${password}@127.0.0.1:5432/tape`,
  cloudsql: `postgres://tape:${password}@/tape?host=/cloudsql/shop:europe-west1:main`,
  bigtable: "bigtable://shop/journals/tape",
  spanner: "spanner://shop/journals/tape",
};

/** Where the APIs have what belongs to the installation. */
export const paths: Readonly<Record<PathName, string>> = {
  project: "cloudresourcemanager/v3/projects/shop",
  services: "run/apis/serving.knative.dev/v1/namespaces/shop/services",
  service: "run/v2/projects/shop/locations/europe-west1/services/tape",
  account: `iam/v1/projects/-/serviceAccounts/${server}`,
  secret: "secretmanager/v1/projects/shop/secrets/tape-store",
  version: "secretmanager/v1/projects/shop/secrets/tape-store/versions/latest",
  payload: "secretmanager/v1/projects/shop/secrets/tape-store/versions/latest:access",
  cluster: "alloydb/v1/projects/shop/locations/europe-west1/clusters/main",
  instance: "alloydb/v1/projects/shop/locations/europe-west1/clusters/main/instances/primary",
  instances: "alloydb/v1/projects/shop/locations/-/clusters/-/instances",
  sql: "sqladmin/v1/projects/shop/instances/main",
  sqlInstances: "sqladmin/v1/projects/shop/instances",
  bigtable: "bigtableadmin/v2/projects/shop/instances/journals",
  table: "bigtableadmin/v2/projects/shop/instances/journals/tables/tape",
  profile: "bigtableadmin/v2/projects/shop/instances/journals/appProfiles/default",
  spanner: "spanner/v1/projects/shop/instances/journals",
  database: "spanner/v1/projects/shop/instances/journals/databases/tape",
};

type PathName =
  | "project"
  | "services"
  | "service"
  | "account"
  | "secret"
  | "version"
  | "payload"
  | "cluster"
  | "instance"
  | "instances"
  | "sql"
  | "sqlInstances"
  | "bigtable"
  | "table"
  | "profile"
  | "spanner"
  | "database";

export const payloadOf = (url: string): Json => ({
  name: "projects/424242/secrets/tape-store/versions/7",
  payload: { data: Buffer.from(url).toString("base64"), dataCrc32c: "1" },
});

/** An installation in which all is as it should be. */
export function healthy(store: StoreKind): World {
  return {
    resources: {
      [paths.project]: {
        name: "projects/424242",
        projectId: "shop",
        state: "ACTIVE",
        displayName: "Shop",
        createTime: "2026-01-01T00:00:00Z",
      },
      [paths.services]: {
        apiVersion: "serving.knative.dev/v1",
        kind: "ServiceList",
        items: [listed("tape", "europe-west1")],
      },
      [paths.service]: service(store),
      [paths.account]: {
        name: `projects/shop/serviceAccounts/${server}`,
        projectId: "shop",
        email: server,
        uniqueId: "1",
      },
      [paths.secret]: {
        name: "projects/424242/secrets/tape-store",
        replication: { automatic: {} },
        createTime: "2026-01-01T00:00:00Z",
        etag: '"1"',
      },
      [paths.version]: {
        name: "projects/424242/secrets/tape-store/versions/7",
        state: "ENABLED",
        createTime: "2026-01-01T00:00:00Z",
        replicationStatus: { automatic: {} },
        etag: '"1"',
      },
      [paths.payload]: payloadOf(urls[store]),
      ...storeResources[store],
    },
    policies: {
      [paths.project]: [
        { role: "roles/owner", members: ["user:ana@example.com"] },
        ...storeRoles[store].map((role) => ({ role, members: [`serviceAccount:${server}`] })),
      ],
      [paths.service]: [{ role: "roles/run.invoker", members: ["serviceAccount:agents@shop.iam.gserviceaccount.com"] }],
      [paths.secret]: [{ role: "roles/secretmanager.secretAccessor", members: [`serviceAccount:${server}`] }],
      [paths.table]: [{ role: "roles/bigtable.user", members: [`serviceAccount:${server}`] }],
      [paths.database]: [{ role: "roles/spanner.databaseUser", members: [`serviceAccount:${server}`] }],
    },
    lacking: {},
    faults: {},
    enabled: [
      "run",
      "secretmanager",
      "iam",
      "monitoring",
      "alloydb",
      "sqladmin",
      "bigtable",
      "bigtableadmin",
      "spanner",
    ].map((name) => `${name}.googleapis.com`),
    token: "given",
  };
}

/** A service as version 1 of the API lists it, shortened. */
export const listed = (name: string, region: string): Json => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name, namespace: "424242", labels: { "cloud.googleapis.com/location": region } },
});

const storeRoles: Readonly<Record<StoreKind, readonly string[]>> = {
  alloydb: ["roles/alloydb.client", "roles/alloydb.databaseUser", "roles/serviceusage.serviceUsageConsumer"],
  cloudsql: ["roles/cloudsql.client"],
  bigtable: [],
  spanner: [],
};

const digest = "a".repeat(64);
const revision = "projects/shop/locations/europe-west1/services/tape/revisions/tape-00003-abc";

function service(store: StoreKind): Json {
  const gate = store === "spanner" ? [{ name: "TAPE_SPANNER_EXPERIMENTAL", value: "1" }] : [];
  return {
    name: "projects/shop/locations/europe-west1/services/tape",
    uid: "9b1c",
    generation: "3",
    observedGeneration: "3",
    creator: "ana@example.com",
    ingress: "INGRESS_TRAFFIC_INTERNAL_ONLY",
    launchStage: "GA",
    scaling: { minInstanceCount: 1 },
    template: {
      serviceAccount: server,
      timeout: "3600s",
      maxInstanceRequestConcurrency: 250,
      scaling: { maxInstanceCount: 10 },
      vpcAccess: { networkInterfaces: [{ network: "default", subnetwork: "default" }], egress: "PRIVATE_RANGES_ONLY" },
      containers: [
        {
          name: "server",
          image: `europe-west1-docker.pkg.dev/shop/tape/server@sha256:${digest}`,
          env: [
            { name: "TAPE_LISTEN", value: "0.0.0.0:8080" },
            { name: "TAPE_STORE", valueSource: { secretKeyRef: { secret: "tape-store", version: "latest" } } },
            { name: "TAPE_AUTH", value: "google" },
            ...gate,
          ],
          resources: { limits: { cpu: "1", memory: "1Gi" }, startupCpuBoost: true },
          ports: [{ name: "h2c", containerPort: 8080 }],
          startupProbe: {
            timeoutSeconds: 1,
            periodSeconds: 2,
            failureThreshold: 60,
            httpGet: { path: "/readyz", port: 8080 },
          },
          livenessProbe: {
            timeoutSeconds: 1,
            periodSeconds: 10,
            failureThreshold: 3,
            httpGet: { path: "/healthz", port: 8080 },
          },
          ...(store === "alloydb" ? { dependsOn: ["alloydb-proxy"] } : {}),
        },
        ...(store === "alloydb" ? [alloydbProxy] : []),
      ].map((container) => structuredClone(container)),
      ...(store === "cloudsql"
        ? { volumes: [{ name: "cloudsql", cloudSqlInstance: { instances: ["shop:europe-west1:main"] } }] }
        : {}),
    },
    traffic: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }],
    trafficStatuses: [{ type: "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", percent: 100 }],
    terminalCondition: { type: "Ready", state: "CONDITION_SUCCEEDED", lastTransitionTime: "2026-01-01T00:00:00Z" },
    conditions: [{ type: "RoutesReady", state: "CONDITION_SUCCEEDED" }],
    latestReadyRevision: revision,
    latestCreatedRevision: revision,
    uri: "https://tape-abc-ew.a.run.app",
    etag: '"1"',
  };
}

const alloydbProxy: Json = {
  name: "alloydb-proxy",
  image: "gcr.io/alloydb-connectors/alloydb-auth-proxy:1.13.3",
  args: [
    "projects/shop/locations/europe-west1/clusters/main/instances/primary",
    "--address=127.0.0.1",
    "--port=5432",
    "--auto-iam-authn",
    "--health-check",
    "--http-address=0.0.0.0",
    "--http-port=9090",
  ],
  resources: { limits: { cpu: "500m", memory: "256Mi" } },
  startupProbe: {
    timeoutSeconds: 1,
    periodSeconds: 1,
    failureThreshold: 60,
    httpGet: { path: "/startup", port: 9090 },
  },
};

/** The proxy of Cloud SQL, as a sidecar. */
export const cloudSqlProxy = (): Json => ({
  name: "sql-proxy",
  image: "gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.18.2",
  args: ["--address=127.0.0.1", "--port=5432", "--private-ip", "--auto-iam-authn", "shop:europe-west1:main"],
  resources: { limits: { cpu: "500m", memory: "512Mi" } },
  startupProbe: { periodSeconds: 1, failureThreshold: 60, httpGet: { path: "/startup", port: 9090 } },
});

export const instanceName = "projects/shop/locations/europe-west1/clusters/main/instances/primary";

const storeResources: Readonly<Record<StoreKind, Record<string, Json>>> = {
  get alloydb() {
    const instance = {
      name: instanceName,
      state: "READY",
      instanceType: "PRIMARY",
      availabilityType: "REGIONAL",
      ipAddress: "10.20.0.5",
      machineConfig: { cpuCount: 2 },
    };
    return {
      [paths.cluster]: {
        name: "projects/shop/locations/europe-west1/clusters/main",
        state: "READY",
        clusterType: "PRIMARY",
        databaseVersion: "POSTGRES_16",
        network: "projects/424242/global/networks/default",
        automatedBackupPolicy: { enabled: true, timeBasedRetention: { retentionPeriod: "1209600s" } },
        continuousBackupConfig: { enabled: true, recoveryWindowDays: 14 },
      },
      [paths.instance]: instance,
      [paths.instances]: { instances: [instance] },
    };
  },
  get cloudsql() {
    const address = { type: "PRIVATE", ipAddress: "10.30.0.7" };
    const network = "projects/shop/global/networks/default";
    return {
      [paths.sqlInstances]: {
        kind: "sql#instancesList",
        items: [{ name: "main", connectionName: "shop:europe-west1:main", ipAddresses: [address] }],
      },
      [paths.sql]: {
        ipAddresses: [address],
        kind: "sql#instance",
        name: "main",
        project: "shop",
        region: "europe-west1",
        connectionName: "shop:europe-west1:main",
        state: "RUNNABLE",
        databaseVersion: "POSTGRES_16",
        settings: {
          kind: "sql#settings",
          activationPolicy: "ALWAYS",
          availabilityType: "REGIONAL",
          ipConfiguration: { ipv4Enabled: false, privateNetwork: network },
          backupConfiguration: {
            kind: "sql#backupConfiguration",
            enabled: true,
            pointInTimeRecoveryEnabled: true,
            startTime: "02:00",
          },
        },
      },
    };
  },
  get bigtable() {
    return {
      [paths.bigtable]: {
        name: "projects/shop/instances/journals",
        displayName: "journals",
        state: "READY",
        type: "PRODUCTION",
      },
      [paths.table]: {
        name: "projects/shop/instances/journals/tables/tape",
        granularity: "MILLIS",
        columnFamilies: { m: { gcRule: { maxNumVersions: 1 } } },
      },
      [paths.profile]: {
        name: "projects/shop/instances/journals/appProfiles/default",
        etag: "1",
        singleClusterRouting: { clusterId: "journals-c1", allowTransactionalWrites: true },
      },
    };
  },
  get spanner() {
    return {
      [paths.spanner]: {
        name: "projects/shop/instances/journals",
        config: "projects/shop/instanceConfigs/regional-europe-west1",
        displayName: "journals",
        processingUnits: 100,
        state: "READY",
      },
      [paths.database]: {
        name: "projects/shop/instances/journals/databases/tape",
        state: "READY",
        databaseDialect: "GOOGLE_STANDARD_SQL",
        versionRetentionPeriod: "1h",
      },
    };
  },
};
