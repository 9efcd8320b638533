import { grantInProject } from "../commands.ts";
import type { Look } from "../google/look.ts";

/** Conditions are told only to those who say that they know of them. */
const asked = { options: { requestedPolicyVersion: 3 } };
const reviewer = "roles/iam.securityReviewer";

export const projectPolicyLook = (project: string): Look => ({
  api: "cloudresourcemanager",
  path: `/v3/projects/${project}:getIamPolicy`,
  body: asked,
  what: `the IAM policy of project ${project}`,
  permission: "resourcemanager.projects.getIamPolicy",
  grant: grantInProject(project, reviewer),
  create: [],
});

/** The policy of something of Bigtable or Spanner. `permission`: `bigtable.tables`. */
export const resourcePolicyLook = (
  { api, path, what }: Pick<Look, "api" | "path" | "what">,
  project: string,
  permission: string,
): Look => ({
  api,
  path: `${path}:getIamPolicy`,
  body: asked,
  what: `the IAM policy of ${what}`,
  permission: `${permission}.getIamPolicy`,
  grant: grantInProject(project, reviewer),
  create: [],
});

/** Asks which of these permissions this account has on something. Everybody may ask that. */
export const permissionsLook = (
  { api, path, what }: Pick<Look, "api" | "path" | "what">,
  project: string,
  permissions: readonly string[],
): Look => ({
  api,
  path: `${path}:testIamPermissions`,
  body: { permissions },
  what: `what this account may do with ${what}`,
  permission: permissions[0] ?? "",
  grant: grantInProject(project, reviewer),
  create: [],
});
