import type { StorePlace } from "../../../../store/open-store.ts";
import { gcloud, grantInProject, note } from "../commands.ts";
import type { Look } from "../google/look.ts";

/** A place that a `bigtable:` URL names. */
export type BigtablePlace = Extract<StorePlace, { readonly kind: "bigtable" }>;

/** The one column family of a journal. */
export const family = "m";
const viewer = "roles/bigtable.viewer";

const instancePath = ({ project, instance }: BigtablePlace): string => `/v2/projects/${project}/instances/${instance}`;

/** `cbt <words>` on this instance. */
export const cbt = ({ project, instance }: BigtablePlace, words: string): string =>
  `cbt -project ${project} -instance ${instance} ${words}`;

export const bigtableInstanceLook = (place: BigtablePlace): Look => ({
  api: "bigtableadmin",
  path: instancePath(place),
  what: `Bigtable instance ${place.instance}`,
  permission: "bigtable.instances.get",
  grant: grantInProject(place.project, viewer),
  create: [
    note("the bigtable Terraform module makes it; by hand:"),
    gcloud("bigtable instances create", [place.instance], {
      project: place.project,
      "display-name": place.instance,
      "cluster-config": "id=tape,zone=ZONE,nodes=1",
    }),
  ],
});

export const bigtableTableLook = (place: BigtablePlace): Look => ({
  api: "bigtableadmin",
  path: `${instancePath(place)}/tables/${place.table}`,
  what: `table ${place.table} of Bigtable instance ${place.instance}`,
  permission: "bigtable.tables.get",
  grant: grantInProject(place.project, viewer),
  create: [
    note("the bigtable Terraform module makes it; by hand:"),
    cbt(place, `createtable ${place.table} families=${family}:maxversions=1`),
  ],
});

export const profileLook = (place: BigtablePlace, profile: string): Look => ({
  api: "bigtableadmin",
  path: `${instancePath(place)}/appProfiles/${profile}`,
  what: `app profile ${profile} of Bigtable instance ${place.instance}`,
  permission: "bigtable.appProfiles.get",
  grant: grantInProject(place.project, viewer),
  create: [createProfile(place, profile)],
});

/** Makes an app profile as a journal needs it. */
export const createProfile = ({ project, instance }: BigtablePlace, profile: string): string =>
  gcloud("bigtable app-profiles create", [profile], {
    project,
    instance,
    "route-to": "CLUSTER",
    "transactional-writes": true,
  });
