import { TapeError } from "../../../errors.ts";

/** An AlloyDB instance as its API names it. */
export interface InstanceName {
  readonly project: string;
  /** `projects/P/locations/R/clusters/C` */
  readonly cluster: string;
  /** `projects/P/locations/R/clusters/C/instances/I` */
  readonly instance: string;
}

// A project of an organisation's own domain is called `example.com:name`.
const pattern =
  /^(projects\/([a-z0-9][a-z0-9.:-]*)\/locations\/[a-z0-9-]+\/clusters\/[a-z0-9-]+)\/instances\/[a-z0-9-]+$/;

/** Errors: STORE_URL_INVALID. */
export function parseInstanceName(text: string): InstanceName {
  const [instance, cluster, project] = pattern.exec(text) ?? [];
  if (instance === undefined || cluster === undefined || project === undefined) {
    throw new TapeError(
      "STORE_URL_INVALID",
      `instance=${JSON.stringify(text)} names no AlloyDB instance: write projects/PROJECT/locations/REGION/clusters/CLUSTER/instances/INSTANCE`,
    );
  }
  return { project, cluster, instance };
}
