import type { Point } from "./probe.ts";

/** A program that is watched call by call. */
export type Role = "agent" | "dispatcher";

/** Who can be killed: a process of Tape's, or the server of the database. The bank is somebody else's. */
type Victim = Role | "server" | "database";

/** One SIGKILL: whom, and where in the program of `role`. */
export interface Kill {
  readonly victim: Victim;
  readonly role: Role;
  readonly call: string;
  /**
   * `during`: the server has carried out the call and dies before the answer is out; the database has begun a statement
   * and not ended it. `after`, for the database: it has committed, and Tape does not hear of it.
   */
  readonly when: "before" | "during" | "after";
}

/** Whether the program stands at the place of the kill; where somebody else is killed, that is prepared before the call. */
export function isDue(kill: Kill, point: Point & { readonly role: Role }): boolean {
  const when = kill.victim === kill.role ? kill.when : "before";
  return kill.role === point.role && kill.call === point.call && when === point.when;
}

/** The kill in words: `server, during the agent's recordDecision 1`. */
export function describeKill({ victim, role, call, when }: Kill): string {
  return victim === role ? `${victim}, ${when} ${call}` : `${victim}, ${when} the ${role}'s ${call}`;
}
