import type { Endpoints } from "./endpoints.ts";

/** A question to an API, and what to say of it. */
export interface Look {
  readonly api: keyof Endpoints;
  readonly path: string;
  /** It is asked by POST, with this body. Default: by GET. */
  readonly body?: object;
  /** What is looked at, as people call it. */
  readonly what: string;
  /** What the account needs to look. */
  readonly permission: string;
  /** The command that lets an account look. */
  readonly grant: (member: string) => string;
  /** The commands that make it where there is none. */
  readonly create: readonly string[];
}
