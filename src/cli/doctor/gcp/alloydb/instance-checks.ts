import { fail, ok, warn, type Finding } from "../../finding.ts";
import { gcloud, note } from "../commands.ts";
import type { JsonView } from "../google/json-view.ts";
import type { AlloydbName } from "../store/cloud-database.ts";
import { instanceCommand } from "./alloydb-looks.ts";

/** Whether the instance works, and takes writes. */
export function checkInstance(instance: JsonView, name: AlloydbName): Finding {
  const id = "gcp.alloydb.instance";
  const state = instance.at("state").text ?? "of unknown state";
  const type = instance.at("instanceType").text ?? "of unknown type";
  const what = `AlloyDB instance ${name.instance} of cluster ${name.cluster}`;
  if (state !== "READY") return fail(id, `${what} is ${state}`, [instanceCommand("describe", name)]);
  if (type !== "PRIMARY") {
    return fail(id, `${what} is of type ${type}: it takes no writes`, [
      note("let the proxy, or ?instance= in the store URL, name the primary instance; this lists them:"),
      gcloud("alloydb instances list", [], { project: name.project, region: name.region, cluster: name.cluster }),
    ]);
  }
  return ok(id, `${what} is ready`);
}

/** Whether the journal outlives the loss of a zone. */
export function checkAvailability(instance: JsonView, name: AlloydbName): Finding {
  const id = "gcp.alloydb.availability";
  // A primary instance is regional unless it says otherwise.
  const type = instance.at("availabilityType").text ?? "REGIONAL";
  if (type === "REGIONAL") return ok(id, `AlloyDB instance ${name.instance} has a second node in another zone`);
  return warn(id, `AlloyDB instance ${name.instance} is ${type}: without its zone there is no journal`, [
    instanceCommand("update", name, { "availability-type": "REGIONAL" }),
  ]);
}
