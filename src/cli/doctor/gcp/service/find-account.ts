import { untold } from "../../finding.ts";
import { note } from "../commands.ts";
import { projectLook } from "../project/project-check.ts";
import type { Installation } from "../installation.ts";
import { seen, unseen, type Sight } from "../sight.ts";

/** The address of the service account that the server runs as. */
export async function findAccount(at: Installation): Promise<Sight<string>> {
  const service = await at.service();
  if (service.kind === "seen") {
    const named = service.value.template.at("serviceAccount").text;
    if (named !== undefined) return seen(named);
    const project = await at.see(projectLook(at.project));
    const number = project.kind === "seen" ? project.value.at("name").text?.replace("projects/", "") : undefined;
    if (number !== undefined) return seen(`${number}-compute@developer.gserviceaccount.com`);
  }
  const { serviceAccount } = at.options;
  if (serviceAccount !== undefined) return seen(serviceAccount);
  return unseen((id) =>
    untold(id, "it is not known which service account the server runs as", [
      note("name it: tape doctor --gcp --service-account=ADDRESS"),
    ]),
  );
}

/** The account that a service gets that names none: it is shared, and as a rule it may do nearly everything. */
export const isDefaultAccount = (address: string): boolean =>
  /^\d+-compute@developer\.gserviceaccount\.com$/.test(address);
