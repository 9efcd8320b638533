import type { StorePlace } from "../../../../store/open-store.ts";
import { gcloud, grantInProject } from "../commands.ts";
import type { Look } from "../google/look.ts";

/** A place that a `spanner:` URL names. */
export type SpannerPlace = Extract<StorePlace, { readonly kind: "spanner" }>;

const viewer = "roles/spanner.viewer";

export const spannerInstanceLook = ({ project, instance }: SpannerPlace): Look => ({
  api: "spanner",
  path: `/v1/projects/${project}/instances/${instance}`,
  what: `Spanner instance ${instance}`,
  permission: "spanner.instances.get",
  grant: grantInProject(project, viewer),
  create: [
    gcloud("spanner instances create", [instance], {
      project,
      config: "regional-REGION",
      description: instance,
      "processing-units": 100,
    }),
  ],
});

export const spannerDatabaseLook = (place: SpannerPlace): Look => ({
  api: "spanner",
  path: `${spannerInstanceLook(place).path}/databases/${place.database}`,
  what: `database ${place.database} of Spanner instance ${place.instance}`,
  permission: "spanner.databases.get",
  grant: grantInProject(place.project, viewer),
  create: [gcloud("spanner databases create", [place.database], { project: place.project, instance: place.instance })],
});
