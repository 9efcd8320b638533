import type { StorePlace } from "../../../../store/open-store.ts";
import { ok, untold, type Finding } from "../../finding.ts";
import { bigtableInstanceLook, bigtableTableLook } from "../bigtable/bigtable-looks.ts";
import { grantInProject } from "../commands.ts";
import { examination, type Examination } from "../examination.ts";
import type { GcpCheckId } from "../gcp-checks.ts";
import type { Look } from "../google/look.ts";
import type { Installation } from "../installation.ts";
import { projectLook } from "../project/project-check.ts";
import { accessor, granted, secretLook } from "../secret/find-secret.ts";
import { servicePath } from "../service/find-service.ts";
import { spannerDatabaseLook, spannerInstanceLook } from "../spanner/spanner-looks.ts";
import { cloudDatabase } from "../store/cloud-database.ts";
import { permissionsLook } from "./policy-looks.ts";

/** Permissions on one thing, each with the command that gives it. */
export interface Wish {
  readonly on: Pick<Look, "api" | "path" | "what">;
  readonly permissions: Readonly<Record<string, (member: string) => string>>;
}

/** Whether this account may look at everything. What it may not is told by each check, too; here are all the commands. */
export const callerAccess: Examination = examination("gcp.access.caller", async (at, id): Promise<Finding> => {
  const { caller } = at;
  const { missing, untellable } = await missingOf(at, await wishes(at));
  if (untellable !== undefined) return untellable(id);
  if (missing.length === 0) return ok(id, `${caller.name} may look at all that is checked`);
  const says = missing.map(({ permission, what }) => `${permission} on ${what}`).join(", ");
  const mend = [...new Set(missing.map(({ grant }) => grant(caller.member)))];
  return untold(id, `${caller.name} lacks ${says}`, mend);
});

interface Missing {
  readonly permission: string;
  readonly what: string;
  readonly grant: (member: string) => string;
}

/** Which of these permissions this account lacks. What is not there is for other checks to tell. */
export async function missingOf(
  at: Installation,
  list: readonly Wish[],
): Promise<{
  readonly missing: readonly Missing[];
  readonly untellable: ((id: GcpCheckId) => Finding) | undefined;
}> {
  const looks = list.map(({ on, permissions }) => permissionsLook(on, at.project, Object.keys(permissions)));
  const answers = await Promise.all(looks.map((look) => at.ask(look)));
  const missing = answers.flatMap((answer, i) => {
    const wish = list[i];
    if (answer.kind !== "found" || wish === undefined) return [];
    const held = answer.body.at("permissions").texts;
    return Object.entries(wish.permissions)
      .filter(([permission]) => !held.includes(permission))
      .map(([permission, grant]) => ({ permission, grant, what: wish.on.what }));
  });
  const trouble = answers.findIndex(({ kind }) => kind !== "found" && kind !== "missing");
  const [look, answer] = [looks[trouble], answers[trouble]];
  if (look === undefined || answer === undefined || answer.kind === "found") return { missing, untellable: undefined };
  return { missing, untellable: (id) => at.refused(id, look, answer) };
}

async function wishes(at: Installation): Promise<readonly Wish[]> {
  const { project } = at;
  const by = (role: string) => grantInProject(project, role);
  const [service, secret, store] = await Promise.all([at.service(), at.secret(), at.store()]);
  const ofStore = store.kind === "seen" ? await wishesOf(at, store.value.place) : { inProject: {}, elsewhere: [] };
  return [
    {
      on: projectLook(project),
      permissions: {
        "resourcemanager.projects.get": by("roles/browser"),
        "resourcemanager.projects.getIamPolicy": by("roles/iam.securityReviewer"),
        "serviceusage.services.get": by("roles/serviceusage.serviceUsageViewer"),
        "iam.serviceAccounts.get": by("roles/iam.serviceAccountViewer"),
        ...ofStore.inProject,
      },
    },
    ...(service.kind === "unseen"
      ? []
      : [
          {
            on: {
              api: "run",
              path: servicePath(service.value.place),
              what: `Cloud Run service ${service.value.place.name}`,
            } as const,
            permissions: {
              "run.services.get": by("roles/run.viewer"),
              "run.services.getIamPolicy": by("roles/run.viewer"),
            },
          },
        ]),
    ...(secret.kind === "unseen"
      ? []
      : [
          {
            on: secretLook(secret.value),
            permissions: {
              "secretmanager.secrets.get": granted(secret.value, "roles/secretmanager.viewer"),
              "secretmanager.secrets.getIamPolicy": granted(secret.value, "roles/secretmanager.viewer"),
              "secretmanager.versions.get": granted(secret.value, "roles/secretmanager.viewer"),
              "secretmanager.versions.access": granted(secret.value, accessor),
            },
          },
        ]),
    ...ofStore.elsewhere,
  ];
}

interface StoreWishes {
  readonly inProject: Wish["permissions"];
  readonly elsewhere: readonly Wish[];
}

async function wishesOf(at: Installation, place: StorePlace): Promise<StoreWishes> {
  const { environment } = at.options;
  const by = (role: string) => grantInProject(at.project, role);
  if (place.kind === "bigtable" && place.emulator === undefined && !environment["BIGTABLE_EMULATOR_HOST"]) {
    const grant = grantInProject(place.project, "roles/bigtable.viewer");
    const onInstance = { "bigtable.instances.get": grant, "bigtable.appProfiles.get": grant };
    return {
      inProject: {},
      elsewhere: [
        { on: bigtableInstanceLook(place), permissions: onInstance },
        { on: bigtableTableLook(place), permissions: { "bigtable.tables.get": grant } },
      ],
    };
  }
  if (place.kind === "spanner" && place.emulator === undefined && !environment["SPANNER_EMULATOR_HOST"]) {
    const grant = grantInProject(place.project, "roles/spanner.viewer");
    return {
      inProject: {},
      elsewhere: [
        { on: spannerInstanceLook(place), permissions: { "spanner.instances.get": grant } },
        { on: spannerDatabaseLook(place), permissions: { "spanner.databases.get": grant } },
      ],
    };
  }
  const { kind } = await cloudDatabase(at, place);
  const viewer = by("roles/alloydb.viewer");
  const inProject: Readonly<Record<typeof kind, Wish["permissions"]>> = {
    alloydb: { "alloydb.clusters.get": viewer, "alloydb.instances.get": viewer },
    cloudsql: { "cloudsql.instances.get": by("roles/cloudsql.viewer") },
    other: {},
  };
  return { inProject: inProject[kind], elsewhere: [] };
}
