import { fail, ok, warn, type Finding } from "../../finding.ts";
import { gcloud, grantInProject } from "../commands.ts";
import { onSight, serviceExamination, type Examination } from "../examination.ts";
import type { Look } from "../google/look.ts";
import { isDefaultAccount } from "./find-account.ts";

const accountLook = (project: string, address: string): Look => ({
  api: "iam",
  path: `/v1/projects/-/serviceAccounts/${address}`,
  what: `service account ${address}`,
  permission: "iam.serviceAccounts.get",
  grant: grantInProject(project, "roles/iam.serviceAccountViewer"),
  create: [gcloud("iam service-accounts create", [address.split("@")[0] ?? address], { project })],
});

/** Whether the server has an identity of its own, and one that works. */
export const identityCheck: Examination = serviceExamination("gcp.service.identity", (service, at, id) =>
  onSight(id, at.account(), async (address): Promise<Finding> => {
    const { project, options } = at;
    const wanted = options.serviceAccount ?? `tape-server@${project}.iam.gserviceaccount.com`;
    const change = service.command("update", { "service-account": wanted });
    if (isDefaultAccount(address)) {
      const says = `the server runs as ${address}, which every service without an account of its own shares`;
      return warn(id, says, [
        gcloud("iam service-accounts create", [wanted.split("@")[0] ?? wanted], { project }),
        change,
      ]);
    }
    if (options.serviceAccount !== undefined && options.serviceAccount !== address) {
      return fail(id, `the server runs as ${address}, not as ${options.serviceAccount}`, [change]);
    }
    return onSight(id, at.see(accountLook(project, address)), (account): Finding => {
      if (!account.at("disabled").isTrue) return ok(id, `the server runs as ${address}`);
      const says = `service account ${address}, which the server runs as, is disabled: it gets no token`;
      return fail(id, says, [gcloud("iam service-accounts enable", [address], { project })]);
    });
  }),
);
