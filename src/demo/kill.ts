import type { Point } from "./probe.ts";

/** A program that is watched call by call. */
export type Role = "agent" | "dispatcher";

/** Who can be killed. The bank is somebody else's. */
type Victim = Role | "server";

/** One SIGKILL: whom, and where in the program of `role`. */
export interface Kill {
  readonly victim: Victim;
  readonly role: Role;
  readonly call: string;
  /** `during`, for the server only: it has carried out the call and dies before the answer is out. */
  readonly when: "before" | "during" | "after";
}

/** Whether the program stands at the place of the kill; a kill during a call is prepared before it. */
export function isDue(kill: Kill, point: Point & { readonly role: Role }): boolean {
  const when = kill.when === "during" ? "before" : kill.when;
  return kill.role === point.role && kill.call === point.call && when === point.when;
}

/** The kill in words: `server, during the agent's recordDecision 1`. */
export function describeKill({ victim, role, call, when }: Kill): string {
  return victim === role ? `${victim}, ${when} ${call}` : `${victim}, ${when} the ${role}'s ${call}`;
}
