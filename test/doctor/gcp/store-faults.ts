import { drop, listAt, remove, set, type Fault } from "./fault.ts";
import { cloudSqlProxy, password, paths, payloadOf, server, urls, type World } from "./world.ts";

const member = `serviceAccount:${server}`;
const grant = (role: string): string => `gcloud projects add-iam-policy-binding shop --member=${member} --role=${role}`;
const byAddress = `alloydb://tape:${password}@10.20.0.9/tape`;

const alloydb: readonly Fault[] = [
  {
    name: "the AlloyDB cluster is gone",
    alter: (world) => {
      remove(world, paths.cluster);
    },
    id: "gcp.alloydb.cluster",
    outcome: "fail",
    says: "there is no AlloyDB cluster main in europe-west1",
    mend: "gcloud alloydb clusters create main --project=shop --region=europe-west1",
    also: ["gcp.alloydb.backups"],
  },
  {
    name: "the AlloyDB cluster is under maintenance",
    alter: (world) => {
      set(world, paths.cluster, "state", "MAINTENANCE");
    },
    id: "gcp.alloydb.cluster",
    outcome: "fail",
    says: "is MAINTENANCE",
    mend: "gcloud alloydb clusters describe main",
  },
  {
    name: "the AlloyDB cluster is the secondary one",
    alter: (world) => {
      set(world, paths.cluster, "clusterType", "SECONDARY");
    },
    id: "gcp.alloydb.cluster",
    outcome: "fail",
    says: "it takes no writes",
    mend: "gcloud alloydb clusters promote main",
  },
  {
    name: "AlloyDB makes no continuous backup",
    alter: (world) => {
      set(world, paths.cluster, "continuousBackupConfig.enabled", false);
    },
    id: "gcp.alloydb.backups",
    outcome: "warn",
    says: "continuous backup of AlloyDB cluster main is off",
    mend: "--enable-continuous-backup",
  },
  {
    name: "AlloyDB makes no backups at all",
    alter: (world) => {
      set(world, paths.cluster, "continuousBackupConfig.enabled", false);
      set(world, paths.cluster, "automatedBackupPolicy.enabled", false);
    },
    id: "gcp.alloydb.backups",
    outcome: "warn",
    says: "continuous backup and automated backup of AlloyDB cluster main are off",
    mend: "--automated-backup-days-of-week",
  },
  {
    name: "the AlloyDB instance is stopped",
    alter: (world) => {
      set(world, paths.instance, "state", "STOPPED");
    },
    id: "gcp.alloydb.instance",
    outcome: "fail",
    says: "AlloyDB instance primary of cluster main is STOPPED",
    mend: "gcloud alloydb instances describe primary",
  },
  {
    name: "the proxy leads to a read pool",
    alter: (world) => {
      set(world, paths.instance, "instanceType", "READ_POOL");
    },
    id: "gcp.alloydb.instance",
    outcome: "fail",
    says: "READ_POOL: it takes no writes",
    mend: "gcloud alloydb instances list",
  },
  {
    name: "the proxy names an AlloyDB instance that is not there",
    alter: (world) => {
      remove(world, paths.instance);
    },
    id: "gcp.alloydb.instance",
    outcome: "fail",
    says: "there is no AlloyDB instance primary",
    mend: "gcloud alloydb instances create primary",
    also: ["gcp.alloydb.availability"],
  },
  {
    name: "AlloyDB has one node only",
    alter: (world) => {
      set(world, paths.instance, "availabilityType", "ZONAL");
    },
    id: "gcp.alloydb.availability",
    outcome: "warn",
    says: "without its zone there is no journal",
    mend: "--availability-type=REGIONAL",
  },
  {
    name: "the proxy listens at another port",
    alter: (world) => {
      set(world, paths.service, "template.containers.1.args.2", "--port=6543");
    },
    id: "gcp.alloydb.proxy",
    outcome: "fail",
    says: "listens at port 6543, but the store URL leads to 127.0.0.1:5432",
    mend: "--port=5432",
  },
  {
    name: "the proxy is not told which instance",
    alter: (world) => {
      listAt(world, paths.service, "template.containers.1.args").shift();
    },
    id: "gcp.alloydb.proxy",
    outcome: "fail",
    says: "is not told which AlloyDB instance to connect to",
    mend: "--args=projects/shop/locations/europe-west1/clusters/CLUSTER/instances/INSTANCE",
    also: ["gcp.alloydb.cluster", "gcp.alloydb.backups", "gcp.alloydb.instance", "gcp.alloydb.availability"],
  },
  {
    name: "the service is not connected to the network",
    alter: (world) => {
      drop(world, paths.service, "template.vpcAccess");
    },
    id: "gcp.alloydb.network",
    outcome: "fail",
    says: "is reached through network default",
    mend: "--network=default --subnet=SUBNET",
  },
  {
    name: "no AlloyDB instance has the address in the URL",
    alter: (world) => {
      world.resources[paths.payload] = payloadOf(byAddress);
    },
    id: "gcp.alloydb.cluster",
    outcome: "untold",
    says: "none in project shop has the address 10.20.0.9",
    mend: "?instance=projects/",
    also: [
      "gcp.access.server",
      "gcp.service.proxy",
      "gcp.alloydb.backups",
      "gcp.alloydb.instance",
      "gcp.alloydb.availability",
      "gcp.alloydb.proxy",
    ],
  },
  {
    name: "the server may not connect to AlloyDB",
    alter: (world) => {
      world.policies[paths.project] = [];
    },
    id: "gcp.access.server",
    outcome: "fail",
    says: `${member}, which the server runs as, does not have roles/alloydb.client, roles/alloydb.databaseUser, roles/serviceusage.serviceUsageConsumer`,
    mend: grant("roles/alloydb.client"),
  },
  {
    name: "the server may do nearly everything",
    alter: (world) => {
      world.policies[paths.project] = [{ role: "roles/editor", members: [member] }];
    },
    id: "gcp.access.server",
    outcome: "warn",
    says: "roles/editor, and nearly everything else",
    mend: "then take away roles/editor",
  },
  {
    name: "the server may connect by way of a group, perhaps",
    alter: (world) => {
      world.policies[paths.project] = [
        { role: "roles/alloydb.client", members: ["group:servers@example.com"] },
        { role: "roles/alloydb.databaseUser", members: [member] },
        { role: "roles/serviceusage.serviceUsageConsumer", members: [member] },
      ];
    },
    id: "gcp.access.server",
    outcome: "warn",
    says: "it may come from a group",
    mend: grant("roles/alloydb.client"),
  },
  {
    name: "the server itself finds that it may not connect",
    alter: (world) => {
      world.lacking[paths.project] = ["alloydb.instances.connect"];
    },
    visit: { email: server },
    id: "gcp.access.server",
    outcome: "fail",
    says: `${server}, which the server runs as, lacks alloydb.instances.connect on project shop`,
    mend: grant("roles/alloydb.client"),
  },
];

/** Cloud SQL by way of its proxy instead of a socket. */
function besideProxy(world: World, port: string): void {
  const proxy = cloudSqlProxy();
  world.resources[paths.payload] = payloadOf("postgres://tape@127.0.0.1:5432/tape?sslmode=disable");
  listAt(world, paths.service, "template.containers").push(proxy);
  set(world, paths.service, "template.containers.1.args.1", port);
  set(world, paths.service, "template.containers.0.dependsOn", ["sql-proxy"]);
  world.policies[paths.project]?.push({ role: "roles/cloudsql.instanceUser", members: [member] });
}

const cloudSql: readonly Fault[] = [
  {
    name: "the Cloud SQL instance is not attached",
    alter: (world) => {
      drop(world, paths.service, "template.volumes");
    },
    id: "gcp.cloudsql.connection",
    outcome: "fail",
    says: "shop:europe-west1:main, which is not attached to the service",
    mend: "--add-cloudsql-instances=shop:europe-west1:main",
  },
  {
    name: "the service is not connected to the network of Cloud SQL",
    alter: (world) => {
      drop(world, paths.service, "template.vpcAccess");
    },
    id: "gcp.cloudsql.network",
    outcome: "fail",
    says: "has an address in network default only",
    mend: "--network=default --subnet=SUBNET",
  },
  {
    name: "the proxy of Cloud SQL listens at another port",
    alter: (world) => {
      besideProxy(world, "--port=6543");
    },
    id: "gcp.cloudsql.connection",
    outcome: "fail",
    says: "sql-proxy listens at port 6543, but the store URL leads to 127.0.0.1:5432",
    mend: "--container=sql-proxy --args=--port=5432,--address=127.0.0.1,--private-ip,--auto-iam-authn,shop:europe-west1:main",
    also: ["gcp.service.proxy"],
  },
  {
    name: "the proxy of Cloud SQL is not told which instance",
    alter: (world) => {
      besideProxy(world, "--port=5432");
      listAt(world, paths.service, "template.containers.1.args").pop();
    },
    id: "gcp.cloudsql.connection",
    outcome: "fail",
    says: "sql-proxy is not told which Cloud SQL instance to connect to",
    mend: "shop:europe-west1:INSTANCE",
    also: [
      "gcp.service.proxy",
      "gcp.cloudsql.instance",
      "gcp.cloudsql.backups",
      "gcp.cloudsql.availability",
      "gcp.cloudsql.network",
    ],
  },
  {
    name: "the server may not log in to Cloud SQL",
    alter: (world) => {
      besideProxy(world, "--port=5432");
      world.policies[paths.project] = [{ role: "roles/cloudsql.client", members: [member] }];
    },
    id: "gcp.access.server",
    outcome: "fail",
    says: "does not have roles/cloudsql.instanceUser",
    mend: grant("roles/cloudsql.instanceUser"),
    also: ["gcp.service.proxy"],
  },
  {
    name: "the Cloud SQL instance is gone",
    alter: (world) => {
      remove(world, paths.sql);
    },
    id: "gcp.cloudsql.instance",
    outcome: "fail",
    says: "there is no Cloud SQL instance main",
    mend: "gcloud sql instances create main --project=shop --region=europe-west1 --database-version=POSTGRES_16",
    also: ["gcp.cloudsql.backups", "gcp.cloudsql.availability"],
  },
  {
    name: "the Cloud SQL instance is stopped",
    alter: (world) => {
      set(world, paths.sql, "settings.activationPolicy", "NEVER");
    },
    id: "gcp.cloudsql.instance",
    outcome: "fail",
    says: "is stopped",
    mend: "gcloud sql instances patch main --project=shop --activation-policy=ALWAYS",
  },
  {
    name: "the Cloud SQL instance is suspended",
    alter: (world) => {
      set(world, paths.sql, "state", "SUSPENDED");
    },
    id: "gcp.cloudsql.instance",
    outcome: "fail",
    says: "is SUSPENDED",
    mend: "gcloud sql instances describe main",
  },
  {
    name: "the Cloud SQL instance is MySQL",
    alter: (world) => {
      set(world, paths.sql, "databaseVersion", "MYSQL_8_0");
    },
    id: "gcp.cloudsql.instance",
    outcome: "fail",
    says: "is MYSQL_8_0, not PostgreSQL",
    mend: "--database-version=POSTGRES_16",
  },
  {
    name: "the Cloud SQL instance is too old",
    alter: (world) => {
      set(world, paths.sql, "databaseVersion", "POSTGRES_9_6");
    },
    id: "gcp.cloudsql.instance",
    outcome: "fail",
    says: "Tape needs PostgreSQL 13 or later",
    mend: "gcloud sql instances patch main --project=shop --database-version=POSTGRES_16",
  },
  {
    name: "Cloud SQL makes no backups",
    alter: (world) => {
      set(world, paths.sql, "settings.backupConfiguration", { enabled: false });
    },
    id: "gcp.cloudsql.backups",
    outcome: "warn",
    says: "backups and point-in-time recovery of Cloud SQL instance main are off",
    mend: "--backup-start-time=02:00",
  },
  {
    name: "Cloud SQL has no point-in-time recovery",
    alter: (world) => {
      set(world, paths.sql, "settings.backupConfiguration", { enabled: true });
    },
    id: "gcp.cloudsql.backups",
    outcome: "warn",
    says: "point-in-time recovery of Cloud SQL instance main is off",
    mend: "--enable-point-in-time-recovery",
  },
  {
    name: "Cloud SQL is in one zone only",
    alter: (world) => {
      set(world, paths.sql, "settings.availabilityType", "ZONAL");
    },
    id: "gcp.cloudsql.availability",
    outcome: "warn",
    says: "without its zone there is no journal",
    mend: "--availability-type=REGIONAL",
  },
  {
    name: "the server may not connect to Cloud SQL",
    alter: (world) => {
      world.policies[paths.project] = [];
    },
    id: "gcp.access.server",
    outcome: "fail",
    says: "does not have roles/cloudsql.client",
    mend: grant("roles/cloudsql.client"),
  },
];

const bigtable: readonly Fault[] = [
  {
    name: "the Bigtable instance is gone",
    alter: (world) => {
      remove(world, paths.bigtable, paths.table, paths.profile);
    },
    id: "gcp.bigtable.instance",
    outcome: "fail",
    says: "there is no Bigtable instance journals",
    mend: "gcloud bigtable instances create journals --project=shop",
    also: ["gcp.bigtable.table", "gcp.bigtable.profile", "gcp.access.server"],
  },
  {
    name: "the Bigtable instance is being made",
    alter: (world) => {
      set(world, paths.bigtable, "state", "CREATING");
    },
    id: "gcp.bigtable.instance",
    outcome: "fail",
    says: "is CREATING",
    mend: "gcloud bigtable instances describe journals --project=shop",
  },
  {
    name: "the Bigtable instance is for development",
    alter: (world) => {
      set(world, paths.bigtable, "type", "DEVELOPMENT");
    },
    id: "gcp.bigtable.instance",
    outcome: "warn",
    says: "of type DEVELOPMENT",
    mend: "gcloud bigtable instances upgrade journals --project=shop",
  },
  {
    name: "the table is missing",
    alter: (world) => {
      remove(world, paths.table);
      world.policies[paths.bigtable] = [{ role: "roles/bigtable.user", members: [member] }];
    },
    id: "gcp.bigtable.table",
    outcome: "fail",
    says: "there is no table tape of Bigtable instance journals",
    mend: "cbt -project shop -instance journals createtable tape families=m:maxversions=1",
  },
  {
    name: "the table lacks the family",
    alter: (world) => {
      set(world, paths.table, "columnFamilies", {});
    },
    id: "gcp.bigtable.table",
    outcome: "fail",
    says: "has no column family m",
    mend: "cbt -project shop -instance journals createfamily tape m",
  },
  {
    name: "the family keeps every version",
    alter: (world) => {
      set(world, paths.table, "columnFamilies.m", {});
    },
    id: "gcp.bigtable.table",
    outcome: "fail",
    says: "keeps every version of a cell",
    mend: "cbt -project shop -instance journals setgcpolicy tape m maxversions=1",
  },
  {
    name: "the journal ages out",
    alter: (world) => {
      set(world, paths.table, "columnFamilies.m", { gcRule: { maxAge: "604800s" } });
    },
    id: "gcp.bigtable.table",
    outcome: "fail",
    says: "lets cells age out, and the journal with them",
    mend: "setgcpolicy tape m maxversions=1",
  },
  {
    name: "the family keeps three versions",
    alter: (world) => {
      set(world, paths.table, "columnFamilies.m", { gcRule: { maxNumVersions: 3 } });
    },
    id: "gcp.bigtable.table",
    outcome: "fail",
    says: "keeps 3 versions of a cell",
    mend: "setgcpolicy tape m maxversions=1",
  },
  {
    name: "the family has one version or an age, whichever comes first",
    alter: (world) => {
      const rules = [{ maxNumVersions: 1 }, { maxAge: "604800s" }];
      set(world, paths.table, "columnFamilies.m", { gcRule: { union: { rules } } });
    },
    id: "gcp.bigtable.table",
    outcome: "fail",
    says: "has a combination of rules",
    mend: "setgcpolicy tape m maxversions=1",
  },
  {
    name: "the table is used by something else too",
    alter: (world) => {
      set(world, paths.table, "columnFamilies.cf1", { gcRule: { maxNumVersions: 1 } });
    },
    id: "gcp.bigtable.table",
    outcome: "warn",
    says: "other families than m: cf1",
    mend: "a table of its own",
  },
  {
    name: "the app profile routes to several clusters",
    alter: (world) => {
      drop(world, paths.profile, "singleClusterRouting");
      set(world, paths.profile, "multiClusterRoutingUseAny", {});
    },
    id: "gcp.bigtable.profile",
    outcome: "fail",
    says: "routes to several clusters",
    mend: "gcloud bigtable app-profiles create tape --project=shop --instance=journals --route-to=CLUSTER --transactional-writes",
  },
  {
    name: "the app profile forbids transactions",
    alter: (world) => {
      set(world, paths.profile, "singleClusterRouting", { clusterId: "journals-c1" });
    },
    id: "gcp.bigtable.profile",
    outcome: "fail",
    says: "does not allow transactions on a row",
    mend: "--transactional-writes",
  },
  {
    name: "the app profile in the URL is missing",
    alter: (world) => {
      world.resources[paths.payload] = payloadOf(`${urls.bigtable}?appProfile=tape`);
    },
    id: "gcp.bigtable.profile",
    outcome: "fail",
    says: "there is no app profile tape",
    mend: "gcloud bigtable app-profiles create tape",
  },
  {
    name: "the server may not use the table",
    alter: (world) => {
      world.policies[paths.table] = [];
    },
    id: "gcp.access.server",
    outcome: "fail",
    says: "does not have roles/bigtable.user",
    mend: `gcloud bigtable tables add-iam-policy-binding tape --project=shop --instance=journals --member=${member}`,
  },
  {
    name: "the server itself finds that it may not write",
    alter: (world) => {
      world.lacking[paths.table] = ["bigtable.tables.mutateRows"];
    },
    visit: { email: server },
    id: "gcp.access.server",
    outcome: "fail",
    says: "lacks bigtable.tables.mutateRows on table tape",
    mend: "--role=roles/bigtable.user",
  },
];

const spanner: readonly Fault[] = [
  {
    name: "the store is Spanner",
    id: "gcp.spanner.experimental",
    outcome: "warn",
    says: "spanner:// is experimental",
    mend: "docs/stores/spanner.md",
  },
  {
    name: "the Spanner instance is gone",
    alter: (world) => {
      remove(world, paths.spanner);
    },
    id: "gcp.spanner.instance",
    outcome: "fail",
    says: "there is no Spanner instance journals",
    mend: "gcloud spanner instances create journals --project=shop",
  },
  {
    name: "the Spanner instance is being made",
    alter: (world) => {
      set(world, paths.spanner, "state", "CREATING");
    },
    id: "gcp.spanner.instance",
    outcome: "fail",
    says: "is CREATING",
    mend: "gcloud spanner instances describe journals --project=shop",
  },
  {
    name: "the Spanner database is missing",
    alter: (world) => {
      remove(world, paths.database);
      world.policies[paths.spanner] = [{ role: "roles/spanner.databaseUser", members: [member] }];
    },
    id: "gcp.spanner.database",
    outcome: "fail",
    says: "there is no database tape of Spanner instance journals",
    mend: "gcloud spanner databases create tape --project=shop --instance=journals",
  },
  {
    name: "the Spanner database speaks PostgreSQL",
    alter: (world) => {
      set(world, paths.database, "databaseDialect", "POSTGRESQL");
    },
    id: "gcp.spanner.database",
    outcome: "fail",
    says: "speaks the PostgreSQL dialect",
    mend: "--database-dialect=GOOGLE_STANDARD_SQL",
  },
  {
    name: "the Spanner database is being made",
    alter: (world) => {
      set(world, paths.database, "state", "CREATING");
    },
    id: "gcp.spanner.database",
    outcome: "fail",
    says: "is CREATING",
    mend: "gcloud spanner databases describe tape",
  },
  {
    name: "the server is not told that Spanner is wanted",
    alter: (world) => {
      listAt(world, paths.service, "template.containers.0.env").pop();
    },
    id: "gcp.spanner.switch",
    outcome: "fail",
    says: "TAPE_SPANNER_EXPERIMENTAL is not set on the service",
    mend: "--update-env-vars=TAPE_SPANNER_EXPERIMENTAL=1",
  },
  {
    name: "the server may not use the Spanner database",
    alter: (world) => {
      world.policies[paths.database] = [];
    },
    id: "gcp.access.server",
    outcome: "fail",
    says: "does not have roles/spanner.databaseUser",
    mend: "gcloud spanner databases add-iam-policy-binding tape",
  },
];

const of = (store: NonNullable<Fault["store"]>, list: readonly Fault[]): readonly Fault[] =>
  list.map((fault) => ({ ...fault, store }));

/** What can be wrong with the store in use. */
export const storeFaults: readonly Fault[] = [
  ...of("alloydb", alloydb),
  ...of("cloudsql", cloudSql),
  ...of("bigtable", bigtable),
  ...of("spanner", spanner),
];
