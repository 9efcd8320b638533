import type { StorePlace } from "../../../../store/open-store.ts";
import { bigtableInstanceLook, bigtableTableLook } from "../bigtable/bigtable-looks.ts";
import { gcloud, grantInProject } from "../commands.ts";
import type { Look } from "../google/look.ts";
import type { Installation } from "../installation.ts";
import { projectLook } from "../project/project-check.ts";
import { spannerDatabaseLook, spannerInstanceLook } from "../spanner/spanner-looks.ts";
import { cloudDatabase } from "../store/cloud-database.ts";
import { projectPolicyLook, resourcePolicyLook } from "./policy-looks.ts";

/** A role that the server needs for its store. */
export interface Need {
  /** The least that will do. */
  readonly role: string;
  /** Others that will do as well. */
  readonly orBy: readonly string[];
  /** Where it may be granted, the nearest first. */
  readonly policies: readonly Look[];
  /** Grants it where it belongs. */
  readonly grant: (member: string) => string;
  /** What the role is needed for, and on what. */
  readonly on: Pick<Look, "api" | "path" | "what">;
  readonly permissions: readonly string[];
}

/** What an account needs to use a store as the server does. Source: the pages of the stores, and the roles' descriptions. */
export async function serverNeeds(at: Installation, place: StorePlace): Promise<readonly Need[]> {
  if (place.kind === "bigtable") return [bigtableNeed(place)];
  if (place.kind === "spanner") return [spannerNeed(place)];
  const database = await cloudDatabase(at, place);
  const inProject = (project: string, role: string, orBy: readonly string[], permissions: readonly string[]): Need => ({
    role,
    orBy,
    policies: [projectPolicyLook(project)],
    grant: grantInProject(project, role),
    on: projectLook(project),
    permissions,
  });
  if (database.kind === "cloudsql") {
    if (database.by === "address") return [];
    const { project } = database.instance ?? at;
    const orBy = ["roles/cloudsql.editor", "roles/cloudsql.admin"];
    const client = ["cloudsql.instances.connect", "cloudsql.instances.get"];
    return [
      inProject(project, "roles/cloudsql.client", orBy, client),
      ...(database.isByToken
        ? [inProject(project, "roles/cloudsql.instanceUser", ["roles/cloudsql.admin"], ["cloudsql.instances.login"])]
        : []),
    ];
  }
  if (database.kind !== "alloydb") return [];
  const { project } = database.instance ?? at;
  const { isByToken } = database;
  return [
    ...(database.by === "address"
      ? []
      : [inProject(project, "roles/alloydb.client", ["roles/alloydb.admin"], ["alloydb.instances.connect"])]),
    ...(isByToken
      ? [inProject(project, "roles/alloydb.databaseUser", ["roles/alloydb.admin"], ["alloydb.users.login"])]
      : []),
    ...(database.by === "address" && !isByToken
      ? []
      : [
          inProject(
            project,
            "roles/serviceusage.serviceUsageConsumer",
            ["roles/serviceusage.serviceUsageAdmin"],
            ["serviceusage.services.use"],
          ),
        ]),
  ];
}

function bigtableNeed(place: Extract<StorePlace, { readonly kind: "bigtable" }>): Need {
  const { project, instance, table } = place;
  const role = "roles/bigtable.user";
  return {
    role,
    orBy: ["roles/bigtable.admin"],
    policies: [
      resourcePolicyLook(bigtableTableLook(place), project, "bigtable.tables"),
      resourcePolicyLook(bigtableInstanceLook(place), project, "bigtable.instances"),
      projectPolicyLook(project),
    ],
    grant: (member) => gcloud("bigtable tables add-iam-policy-binding", [table], { project, instance, member, role }),
    on: bigtableTableLook(place),
    permissions: ["bigtable.tables.readRows", "bigtable.tables.mutateRows"],
  };
}

function spannerNeed(place: Extract<StorePlace, { readonly kind: "spanner" }>): Need {
  const { project, instance, database } = place;
  const role = "roles/spanner.databaseUser";
  return {
    role,
    orBy: ["roles/spanner.databaseAdmin", "roles/spanner.admin"],
    policies: [
      resourcePolicyLook(spannerDatabaseLook(place), project, "spanner.databases"),
      resourcePolicyLook(spannerInstanceLook(place), project, "spanner.instances"),
      projectPolicyLook(project),
    ],
    grant: (member) =>
      gcloud("spanner databases add-iam-policy-binding", [database], { project, instance, member, role }),
    on: spannerDatabaseLook(place),
    permissions: ["spanner.sessions.create", "spanner.databases.read", "spanner.databases.write"],
  };
}
