import type { JsonView } from "../google/json-view.ts";

/** Who has a role. */
export interface Binding {
  readonly role: string;
  readonly members: readonly string[];
}

/** Everybody on the internet, and everybody with any Google account. */
export const publicMembers: readonly string[] = ["allUsers", "allAuthenticatedUsers"];

export const bindingsIn = (policy: JsonView): readonly Binding[] =>
  policy.at("bindings").items.map((one) => ({ role: one.at("role").text ?? "", members: one.at("members").texts }));

/** The roles that bindings give to a member by name. */
export const rolesOf = (bindings: readonly Binding[], member: string): readonly string[] =>
  bindings.flatMap(({ role, members }) => (members.includes(member) ? [role] : []));
