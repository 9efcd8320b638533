/** What a caller may see; made from its credential, never from a request alone. */
export interface Access {
  /** Every row and index of this caller starts with it. Empty for a server without authentication. */
  readonly partition: string;
  /**
   * The tenant of the credential: runs get it, and a request that names another is TENANT_NOT_GRANTED.
   * `null`: no credential; the tenant that a request names is recorded as it is.
   */
  readonly tenant: string | null;
}

/** Access without a credential: the embedded library, and a server with authentication `none`. */
export const localAccess: Access = { partition: "", tenant: null };
