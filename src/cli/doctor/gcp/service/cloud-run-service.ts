import { gcloud } from "../commands.ts";
import { JsonView } from "../google/json-view.ts";

/** Where an environment variable's value comes from. */
export type Setting =
  | { readonly kind: "literal"; readonly value: string }
  | { readonly kind: "secret"; readonly secret: string; readonly version: string };

/** Where a Cloud Run service is. */
export interface ServicePlace {
  readonly project: string;
  readonly region: string;
  readonly name: string;
}

/** A Cloud Run service as version 2 of the API describes it. Source: `GoogleCloudRunV2Service`. */
export class CloudRunService {
  readonly body: JsonView;
  readonly place: ServicePlace;

  constructor(body: JsonView, place: ServicePlace) {
    this.body = body;
    this.place = place;
  }

  get template(): JsonView {
    return this.body.at("template");
  }

  /** The container that gets the requests: the one with a port. */
  get server(): JsonView {
    const containers = this.template.at("containers").items;
    return containers.find((one) => one.at("ports").items.length > 0) ?? containers[0] ?? new JsonView(undefined);
  }

  /** All containers but the server. */
  get sidecars(): readonly JsonView[] {
    const port = this.server.at("ports").items.length > 0;
    return this.template.at("containers").items.filter((one, i) => (port ? one.at("ports").items.length === 0 : i > 0));
  }

  /** Whether it is connected to a network of the project, by a connector or directly. */
  get isInNetwork(): boolean {
    const access = this.template.at("vpcAccess");
    return access.at("connector").text !== undefined || access.at("networkInterfaces").items.length > 0;
  }

  /** Cloud SQL instances that are attached: `project:region:instance`. */
  get cloudSqlInstances(): readonly string[] {
    return this.template.at("volumes").items.flatMap((one) => one.at("cloudSqlInstance", "instances").texts);
  }

  /** A variable of the server's environment; undefined: it is not set. */
  setting(name: string): Setting | undefined {
    const variable = this.server.at("env").items.find((one) => one.at("name").text === name);
    const ref = variable?.at("valueSource", "secretKeyRef");
    const secret = ref?.at("secret").text;
    if (secret !== undefined) return { kind: "secret", secret, version: ref?.at("version").text ?? "latest" };
    const value = variable?.at("value").text;
    return value === undefined ? undefined : { kind: "literal", value };
  }

  /** The command that changes the service, or, with `container`, one of its containers. */
  update(flags: Readonly<Record<string, string | number | true>>, container?: string): string {
    // With more than one container, gcloud wants to know which.
    const several = this.template.at("containers").items.length > 1;
    const name = container ?? this.server.at("name").text;
    return this.command("update", { ...(several && name !== undefined ? { container: name } : {}), ...flags });
  }

  /** The command that connects it to a network, for private addresses. */
  connect(network: string): string {
    return this.command("update", { network, subnet: "SUBNET", "vpc-egress": "private-ranges-only" });
  }

  /** A command of `gcloud run services` on this one. */
  command(verb: string, flags: Readonly<Record<string, string | number | true>>): string {
    const { project, region, name } = this.place;
    return gcloud(`run services ${verb}`, [name], { project, region, ...flags });
  }
}
