import { fail, ok, warn, type Finding } from "../../finding.ts";
import { plural } from "../../../text/money.ts";
import { bindingsIn, publicMembers } from "../access/iam-policy.ts";
import { grantInProject } from "../commands.ts";
import { onSight, serviceExamination, type Examination } from "../examination.ts";
import type { Look } from "../google/look.ts";
import type { ServicePlace } from "./cloud-run-service.ts";
import { servicePath } from "./find-service.ts";

/** Whether anybody on the internet can knock at the server's door. */
export const ingressCheck: Examination = serviceExamination("gcp.service.ingress", (service, at, id): Finding => {
  const ingress = service.body.at("ingress").text ?? "INGRESS_TRAFFIC_UNSPECIFIED";
  if (ingress !== "INGRESS_TRAFFIC_ALL") return ok(id, `requests come from inside only (${ingress})`);
  if (at.options.publicIngress === true) return ok(id, "requests may come from the internet, as it is wanted");
  return warn(
    id,
    "requests may come from the internet (INGRESS_TRAFFIC_ALL), with only IAM and Tape's own check in between",
    [
      service.command("update", { ingress: "internal" }),
      service.command("update", { ingress: "internal-and-cloud-load-balancing" }),
    ],
  );
});

const policyLook = (place: ServicePlace): Look => ({
  api: "run",
  path: `${servicePath(place)}:getIamPolicy?options.requestedPolicyVersion=3`,
  what: `the IAM policy of Cloud Run service ${place.name}`,
  permission: "run.services.getIamPolicy",
  grant: grantInProject(place.project, "roles/run.viewer"),
  create: [],
});

/** Whether Cloud Run asks everybody who they are. */
export const invokersCheck: Examination = serviceExamination("gcp.service.invokers", (service, at, id) => {
  if (service.body.at("invokerIamDisabled").isTrue) {
    const says = "Cloud Run lets everybody in: the check for roles/run.invoker is switched off";
    return fail(id, says, [service.command("update", { "invoker-iam-check": true })]);
  }
  return onSight(id, at.see(policyLook(service.place)), (policy): Finding => {
    const bindings = bindingsIn(policy);
    const open = bindings.flatMap(({ role, members }) =>
      members.filter((one) => publicMembers.includes(one)).map((member) => ({ member, role })),
    );
    if (open.length > 0) {
      const who = open.map(({ member, role }) => `${member} (${role})`).join(", ");
      const mend = open.map((one) => service.command("remove-iam-policy-binding", one));
      return fail(id, `everybody may call the server: ${who}`, mend);
    }
    const invokers = new Set(bindings.flatMap(({ role, members }) => (role === "roles/run.invoker" ? members : [])));
    return ok(id, `roles/run.invoker on the service: ${plural(invokers.size, "named principal")}, and not the public`);
  });
});
