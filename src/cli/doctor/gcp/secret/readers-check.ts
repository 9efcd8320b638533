import { fail, ok, untold, warn, type Finding } from "../../finding.ts";
import { bindingsIn, publicMembers, rolesOf, type Binding } from "../access/iam-policy.ts";
import { projectPolicyLook } from "../access/policy-looks.ts";
import { gcloud, note, unconditional } from "../commands.ts";
import { examination, onSight, type Examination } from "../examination.ts";
import type { Installation } from "../installation.ts";
import { accessor, granted, secretCommand, secretPolicyLook, type SecretRef } from "./find-secret.ts";

const id = "gcp.secret.readers";
/** Roles with `secretmanager.versions.access`. */
const reading: ReadonlySet<string> = new Set([accessor, "roles/secretmanager.admin", "roles/owner"]);

/** Whether the server may read the secret, by a grant on the secret itself, and whether others may that need not. */
export const readersCheck: Examination = examination(id, (at) =>
  onSight(id, at.secret(), (ref) =>
    onSight(id, at.see(secretPolicyLook(ref)), async (policy): Promise<Finding> => {
      const onSecret = bindingsIn(policy);
      const open = onSecret.flatMap(({ role, members }) =>
        members.filter((one) => publicMembers.includes(one)).map((member) => ({ member, role })),
      );
      if (open.length > 0) {
        const mend = open.map((one) => secretCommand("remove-iam-policy-binding", ref, one));
        return fail(id, `everybody may read secret ${ref.name}; change the password in it too`, mend);
      }
      const answer = await at.ask(projectPolicyLook(ref.project));
      const inProject = answer.kind === "found" ? bindingsIn(answer.body) : undefined;
      return judge(at, ref, onSecret, inProject);
    }),
  ),
);

async function judge(
  at: Installation,
  ref: SecretRef,
  onSecret: readonly Binding[],
  inProject: readonly Binding[] | undefined,
): Promise<Finding> {
  const account = await at.account();
  const member = account.kind === "seen" ? `serviceAccount:${account.value}` : undefined;
  const wide = (inProject ?? []).flatMap(({ role, members }) => (role === accessor ? members : []));
  const may = (bindings: readonly Binding[]): boolean =>
    member !== undefined && rolesOf(bindings, member).some((role) => reading.has(role));
  const onlyHere = member === undefined ? [] : [granted(ref, accessor)(member)];

  if (member !== undefined && !may(onSecret) && !may(inProject ?? [])) {
    if (inProject === undefined) {
      const says = `${member} has no role on secret ${ref.name}; whether it has one in the project cannot be looked at`;
      return untold(id, says, onlyHere);
    }
    return fail(
      id,
      `${member}, which the server runs as, has no role by which it could read secret ${ref.name}`,
      onlyHere,
    );
  }
  if (wide.length > 0) {
    const mend = wide.map((one) =>
      gcloud("projects remove-iam-policy-binding", [ref.project], { member: one, role: accessor, ...unconditional }),
    );
    const says = `${wide.join(", ")} may read every secret of project ${ref.project}, not only ${ref.name}`;
    return warn(id, says, [...(may(onSecret) ? [] : onlyHere), ...mend]);
  }
  if (account.kind === "unseen") return account.finding(id);
  if (!may(onSecret)) {
    const says = `${member} may read secret ${ref.name}, but by a role in the whole project`;
    return warn(id, says, [...onlyHere, note("then take away its role in the project")]);
  }
  const hidden = inProject === undefined ? "; grants in the whole project could not be looked at" : "";
  return ok(id, `${member} may read secret ${ref.name}, by a grant on the secret itself${hidden}`);
}
