import type { StorePlace } from "../../../../store/open-store.ts";
import { fail, ok, warn, type Finding } from "../../finding.ts";
import { gcloud, grantInProject, note } from "../commands.ts";
import type { GcpOptions } from "../gcp-options.ts";
import type { Answer } from "../google/answer.ts";
import type { Look } from "../google/look.ts";
import type { Caller } from "../google/sign-in.ts";
import type { Installation } from "../installation.ts";

const id = "gcp.project";

/** The project of the installation: the one that is named nearest to it. */
export function projectFor(options: GcpOptions, place: StorePlace | undefined, caller: Caller): string | undefined {
  const { project, environment } = options;
  return given(project) ?? storeProject(place) ?? given(environment["GOOGLE_CLOUD_PROJECT"]) ?? given(caller.project);
}

const given = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

function storeProject(place: StorePlace | undefined): string | undefined {
  if (place?.kind === "bigtable" || place?.kind === "spanner") return place.project;
  return place?.kind === "alloydb" ? /^projects\/([^/]+)\//.exec(place.instance ?? "")?.[1] : undefined;
}

export const projectLook = (project: string): Look => ({
  api: "cloudresourcemanager",
  path: `/v3/projects/${project}`,
  what: `project ${project}`,
  permission: "resourcemanager.projects.get",
  grant: grantInProject(project, "roles/browser"),
  create: [gcloud("projects create", [project], {})],
});

/** Refusals of this question that say nothing about others. */
const others: ReadonlySet<Answer["kind"]> = new Set(["forbidden", "disabled", "unanswered"]);

/** Whether the project is there and in use, and whether it makes sense to go on. */
export async function checkProject(at: Installation): Promise<{ readonly finding: Finding; readonly goOn: boolean }> {
  const { project, caller, options } = at;
  const look = projectLook(project);
  const found = await at.ask(look);
  if (found.kind !== "found") return { finding: at.refused(id, look, found), goOn: others.has(found.kind) };
  const state = found.body.at("state").text ?? "of unknown state";
  if (state !== "ACTIVE") {
    const says = `project ${project} is ${state}: all in it is about to be deleted`;
    return { finding: fail(id, says, [gcloud("projects undelete", [project], {})]), goOn: false };
  }
  const of = caller.project;
  const isOther = of !== undefined && of !== project && of !== found.body.at("name").text?.replace("projects/", "");
  if (!isOther) return { finding: ok(id, `project ${project} is in use`), goOn: true };
  if (options.project !== undefined) {
    return { finding: ok(id, `project ${project} is in use; the credentials are of project ${of}`), goOn: true };
  }
  const says = `project ${project} is in use, but the credentials are of project ${of}: is this the one that is meant?`;
  return { finding: warn(id, says, [note(`say so: tape doctor --gcp --project=${project}`)]), goOn: true };
}
