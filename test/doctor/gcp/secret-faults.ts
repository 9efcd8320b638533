import { remove, set, type Fault } from "./fault.ts";
import { password, paths, payloadOf, server, urls } from "./world.ts";

const accessor = "roles/secretmanager.secretAccessor";
const add = 'printf %s "$TAPE_STORE" | gcloud secrets versions add tape-store --project=shop --data-file=-';

/** What can be wrong with the secret that holds the store URL. */
export const secretFaults: readonly Fault[] = [
  {
    name: "there is no secret",
    store: "bigtable",
    alter: (world) => {
      remove(world, paths.secret, paths.version, paths.payload);
    },
    visit: { options: { storeUrl: urls.bigtable } },
    id: "gcp.secret.version",
    outcome: "fail",
    says: "there is no secret tape-store",
    mend: "gcloud secrets create tape-store --project=shop --replication-policy=automatic",
    also: ["gcp.secret.store", "gcp.secret.readers"],
  },
  {
    name: "the secret has no version",
    alter: (world) => {
      remove(world, paths.version, paths.payload);
    },
    visit: { options: { storeUrl: urls.alloydb } },
    id: "gcp.secret.version",
    outcome: "fail",
    says: "there is no version latest of secret tape-store",
    mend: add,
    also: ["gcp.secret.store"],
  },
  {
    name: "the version is disabled",
    alter: (world) => {
      set(world, paths.version, "state", "DISABLED");
    },
    id: "gcp.secret.version",
    outcome: "fail",
    says: "version 7 of secret tape-store, which the server reads, is disabled",
    mend: "gcloud secrets versions enable 7 --secret=tape-store --project=shop",
  },
  {
    name: "the version is destroyed",
    alter: (world) => {
      set(world, paths.version, "state", "DESTROYED");
    },
    id: "gcp.secret.version",
    outcome: "fail",
    says: "is DESTROYED",
    mend: add,
  },
  {
    name: "the secret expires",
    alter: (world) => {
      set(world, paths.secret, "expireTime", "2027-01-01T00:00:00Z");
    },
    id: "gcp.secret.version",
    outcome: "warn",
    says: "ends by itself at 2027-01-01T00:00:00Z",
    mend: "gcloud secrets update tape-store --project=shop --remove-expiration",
  },
  {
    name: "the secret ends with a line break",
    alter: (world) => {
      world.resources[paths.payload] = payloadOf(`${urls.alloydb}\n`);
    },
    visit: { options: { storeUrl: urls.alloydb } },
    id: "gcp.secret.store",
    outcome: "fail",
    says: "it ends with a line break",
    mend: add,
  },
  {
    name: "the secret holds no store URL but a password",
    alter: (world) => {
      world.resources[paths.payload] = payloadOf(password);
    },
    visit: { options: { storeUrl: urls.alloydb } },
    id: "gcp.secret.store",
    outcome: "fail",
    says: "it is no store URL that Tape takes",
    mend: add,
  },
  {
    name: "the secret holds two URLs",
    alter: (world) => {
      world.resources[paths.payload] = payloadOf(`${urls.alloydb} ${urls.bigtable}`);
    },
    visit: { options: { storeUrl: urls.alloydb } },
    id: "gcp.secret.store",
    outcome: "fail",
    says: "it holds white space",
    mend: add,
  },
  {
    name: "the secret is empty",
    alter: (world) => {
      world.resources[paths.payload] = { name: "projects/424242/secrets/tape-store/versions/7", payload: {} };
    },
    visit: { options: { storeUrl: urls.alloydb } },
    id: "gcp.secret.store",
    outcome: "fail",
    says: "it is empty",
    mend: add,
  },
  {
    name: "the secret names a file",
    store: "bigtable",
    alter: (world) => {
      world.resources[paths.payload] = payloadOf("sqlite:/data/tape.db");
    },
    visit: { options: { storeUrl: urls.bigtable } },
    id: "gcp.secret.store",
    outcome: "fail",
    says: "holds a sqlite URL: the journal would be in the container",
    mend: add,
  },
  {
    name: "the secret names another store than the one that is checked",
    store: "bigtable",
    alter: (world) => {
      world.resources[paths.payload] = payloadOf("bigtable://shop/journals/other");
    },
    visit: { options: { storeUrl: urls.bigtable } },
    id: "gcp.secret.store",
    outcome: "warn",
    says: "not that of the store that is checked, table tape",
    mend: "unset TAPE_STORE",
  },
  {
    name: "the server may not read the secret",
    alter: (world) => {
      world.policies[paths.secret] = [];
    },
    id: "gcp.secret.readers",
    outcome: "fail",
    says: `serviceAccount:${server}, which the server runs as, has no role by which it could read secret tape-store`,
    mend: `gcloud secrets add-iam-policy-binding tape-store --project=shop --member=serviceAccount:${server} --role=${accessor}`,
  },
  {
    name: "the server may read every secret of the project",
    alter: (world) => {
      world.policies[paths.secret] = [];
      world.policies[paths.project]?.push({ role: accessor, members: [`serviceAccount:${server}`] });
    },
    id: "gcp.secret.readers",
    outcome: "warn",
    says: "may read every secret of project shop",
    mend: `gcloud projects remove-iam-policy-binding shop --member=serviceAccount:${server} --role=${accessor}`,
  },
  {
    name: "somebody else may read every secret of the project",
    alter: (world) => {
      world.policies[paths.project]?.push({ role: accessor, members: ["user:bob@example.com"] });
    },
    id: "gcp.secret.readers",
    outcome: "warn",
    says: "user:bob@example.com may read every secret",
    mend: "--member=user:bob@example.com",
  },
  {
    name: "everybody may read the secret",
    alter: (world) => {
      world.policies[paths.secret]?.push({ role: accessor, members: ["allUsers"] });
    },
    id: "gcp.secret.readers",
    outcome: "fail",
    says: "everybody may read secret tape-store",
    mend: "gcloud secrets remove-iam-policy-binding tape-store --project=shop --member=allUsers",
  },
  {
    name: "nobody says which store it is",
    store: "bigtable",
    alter: (world) => {
      remove(world, paths.payload);
    },
    id: "gcp.store",
    outcome: "untold",
    says: "which store the server uses cannot be told",
    mend: "# name it in TAPE_STORE",
    also: [
      "gcp.secret.store",
      "gcp.access.server",
      "gcp.bigtable.instance",
      "gcp.bigtable.table",
      "gcp.bigtable.profile",
    ],
  },
  {
    name: "the journal is a file in the container",
    store: "bigtable",
    alter: (world) => {
      world.resources[paths.payload] = payloadOf("sqlite:./tape.db");
    },
    id: "gcp.store",
    outcome: "fail",
    says: "the server uses a sqlite store",
    mend: "docs/stores",
    also: [
      "gcp.secret.store",
      "gcp.access.server",
      "gcp.bigtable.instance",
      "gcp.bigtable.table",
      "gcp.bigtable.profile",
    ],
  },
];
