import { fail, ok, skipped, untold, warn, type Finding } from "../../finding.ts";
import { note } from "../commands.ts";
import { behind, examination, onSight, type Examination } from "../examination.ts";
import type { Installation } from "../installation.ts";
import { missingOf } from "./caller-access.ts";
import { bindingsIn, rolesOf } from "./iam-policy.ts";
import { serverNeeds, type Need } from "./server-needs.ts";

const id = "gcp.access.server";
/** They allow what the server needs, and nearly everything else. */
const broad: ReadonlySet<string> = new Set(["roles/owner", "roles/editor"]);

/** Whether the server's service account has the roles that its store takes. */
export const serverAccess: Examination = examination(id, async (at): Promise<Finding> => {
  const store = await at.store();
  if (store.kind === "unseen") return behind(id, "gcp.store");
  const needs = await serverNeeds(at, store.value.place);
  if (needs.length === 0) return skipped(id, "the store takes a login of its own, no role of Google Cloud");
  return onSight(id, at.account(), (account) =>
    account === at.caller.email
      ? askItself(at, account, needs)
      : lookInPolicies(at, `serviceAccount:${account}`, needs),
  );
});

/** This account is the server's: Google itself says what it may, however it was granted. */
async function askItself(at: Installation, account: string, needs: readonly Need[]): Promise<Finding> {
  const wishes = needs.map(({ on, permissions, grant }) => ({
    on,
    permissions: Object.fromEntries(permissions.map((one) => [one, grant] as const)),
  }));
  const { missing, untellable } = await missingOf(at, wishes);
  if (untellable !== undefined) return untellable(id);
  if (missing.length === 0) return ok(id, `${account}, which the server runs as, may use its store`);
  const says = missing.map(({ permission, what }) => `${permission} on ${what}`).join(", ");
  const mend = [...new Set(missing.map(({ grant }) => grant(`serviceAccount:${account}`)))];
  return fail(id, `${account}, which the server runs as, lacks ${says}`, mend);
}

interface Standing {
  readonly need: Need;
  readonly roles: readonly string[];
  /** Policies that this account may not see. */
  readonly hidden: readonly string[];
  readonly maybe: boolean;
}

async function lookInPolicies(at: Installation, member: string, needs: readonly Need[]): Promise<Finding> {
  const standings = await Promise.all(needs.map((need) => standingOf(at, member, need)));
  const has = ({ need, roles }: Standing): boolean =>
    roles.some((role) => role === need.role || need.orBy.includes(role));
  const without = standings.filter((one) => !has(one) && !one.roles.some((role) => broad.has(role)));
  const hidden = [...new Set(without.flatMap((one) => one.hidden))];
  const names = (list: readonly Standing[]): string => list.map(({ need }) => need.role).join(", ");
  const grants = (list: readonly Standing[]): readonly string[] => list.map(({ need }) => need.grant(member));
  if (hidden.length > 0) {
    return untold(
      id,
      `whether ${member} has ${names(without)} cannot be told: ${hidden.join(", ")} cannot be looked at`,
      [...grants(without)],
    );
  }
  const sure = without.filter(({ maybe }) => !maybe);
  if (sure.length > 0)
    return fail(id, `${member}, which the server runs as, does not have ${names(sure)}`, grants(sure));
  if (without.length > 0) {
    return warn(
      id,
      `${member} has ${names(without)} not by name; it may come from a group or from a role of your own`,
      [note("if the server cannot use its store:"), ...grants(without)],
    );
  }
  const tooBroad = standings.filter((one) => !has(one));
  if (tooBroad.length === 0) return ok(id, `${member} has ${names(standings)}`);
  const roles = [...new Set(tooBroad.flatMap((one) => one.roles.filter((role) => broad.has(role))))];
  return warn(id, `${member} may use its store by ${roles.join(", ")}, and nearly everything else in the project too`, [
    ...grants(tooBroad),
    note(`then take away ${roles.join(", ")}`),
  ]);
}

async function standingOf(at: Installation, member: string, need: Need): Promise<Standing> {
  const answers = await Promise.all(need.policies.map((look) => at.ask(look)));
  const bindings = answers.flatMap((answer) => (answer.kind === "found" ? bindingsIn(answer.body) : []));
  const roles = rolesOf(bindings, member);
  const hidden = need.policies.flatMap(({ what }, i) => {
    const kind = answers[i]?.kind;
    return kind === "found" || kind === "missing" ? [] : [what];
  });
  // What a group's members are, or what a role of somebody's own allows, no policy says.
  const maybe =
    roles.some((role) => !role.startsWith("roles/")) ||
    bindings.some(
      ({ role, members }) => role === need.role && members.some((one) => /^(?:group|domain|principalSet):/.test(one)),
    );
  return { need, roles, hidden, maybe };
}
