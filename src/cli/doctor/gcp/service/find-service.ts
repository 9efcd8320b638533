import { fail, untold } from "../../finding.ts";
import { gcloud, grantInProject, note } from "../commands.ts";
import { defaultService } from "../gcp-options.ts";
import type { Look } from "../google/look.ts";
import type { Installation } from "../installation.ts";
import { seen, unseen, type Sight } from "../sight.ts";
import { CloudRunService, type ServicePlace } from "./cloud-run-service.ts";

/** The Cloud Run service, wherever it is. */
export async function findService(at: Installation): Promise<Sight<CloudRunService>> {
  const { project, options } = at;
  const name = options.service ?? defaultService;
  const region = await findRegion(at, name);
  if (region.kind === "unseen") return region;
  const place = { project, region: region.value, name };
  const found = await at.see(serviceLook(place));
  return found.kind === "seen" ? seen(new CloudRunService(found.value, place)) : found;
}

const deploy = (project: string, region: string, name: string): readonly string[] => [
  note("the Terraform module tape-cloud-run makes it; by hand:"),
  gcloud("run deploy", [name], { project, region, image: "IMAGE@sha256:DIGEST", "use-http2": true }),
];

export const servicePath = ({ project, region, name }: ServicePlace): string =>
  `/v2/projects/${project}/locations/${region}/services/${name}`;

const serviceLook = (place: ServicePlace): Look => ({
  api: "run",
  path: servicePath(place),
  what: `Cloud Run service ${place.name} in ${place.region}`,
  permission: "run.services.get",
  grant: grantInProject(place.project, "roles/run.viewer"),
  create: deploy(place.project, place.region, place.name),
});

async function findRegion(at: Installation, name: string): Promise<Sight<string>> {
  const { project, options } = at;
  const given = options.region ?? options.environment["CLOUDSDK_RUN_REGION"];
  if (given !== undefined && given !== "") return seen(given);
  const list = await at.see(allServicesLook(project));
  if (list.kind === "unseen") return list;
  const regions = list.value.at("items").items.flatMap((one) => {
    const region = one.at("metadata", "labels", "cloud.googleapis.com/location").text;
    return one.at("metadata", "name").text === name && region !== undefined ? [region] : [];
  });
  const [first, second] = regions;
  if (first !== undefined && second === undefined) return seen(first);
  if (first !== undefined) {
    const says = `there are Cloud Run services ${name} in ${regions.join(", ")}: which one is meant?`;
    return unseen((id) => untold(id, says, [note(`say so: tape doctor --gcp --region=${first}`)]));
  }
  const silent = list.value.at("unreachable").texts;
  if (silent.length > 0) {
    const says = `there is no Cloud Run service ${name} in the regions that answer; ${silent.join(", ")} do not`;
    return unseen((id) => untold(id, says, [note("name its region: tape doctor --gcp --region=REGION")]));
  }
  return unseen((id) =>
    fail(id, `there is no Cloud Run service ${name} in any region`, deploy(project, "REGION", name)),
  );
}

/** Only version 1 of the API lists all regions at once. */
const allServicesLook = (project: string): Look => ({
  api: "run",
  path: `/apis/serving.knative.dev/v1/namespaces/${project}/services`,
  what: `the Cloud Run services of project ${project}`,
  permission: "run.services.list",
  grant: grantInProject(project, "roles/run.viewer"),
  create: [],
});
