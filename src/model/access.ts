/** What a caller may see; made from its credential, never from a request alone. */
export interface Access {
  /** Every row and index of this caller starts with it. Empty for a server without authentication. */
  readonly partition: string;
  /**
   * The tenant of the credential: runs get it, and a request that names another is TENANT_NOT_GRANTED.
   * `null`: no credential; the tenant that a request names is recorded as it is.
   */
  readonly tenant: string | null;
  /** The scopes that it may grant to a run; BeginRun with another is SCOPE_NOT_GRANTED (R21). Absent: any. */
  readonly scopes?: readonly string[];
}

/** Access without a credential: the embedded library, and a server with authentication `none`. */
export const localAccess: Access = { partition: "", tenant: null };
