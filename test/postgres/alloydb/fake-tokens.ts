import { apiScope, loginScope, type TokenSource } from "../../../src/store/postgres/alloydb/token-source.ts";

/** Tokens that the test hands out: the current one of each scope until it is forgotten or renewed. */
export interface FakeTokens extends TokenSource {
  readonly current: { api: string; login: string };
  readonly asked: string[];
  readonly forgotten: string[];
  /** Billed project, as credentials may name one. */
  quotaProject: string | undefined;
}

export function fakeTokens(login: string): FakeTokens {
  const current = { api: "api-token", login };
  return {
    current,
    asked: [],
    forgotten: [],
    quotaProject: undefined,
    token(scope) {
      this.asked.push(scope);
      if (scope !== apiScope && scope !== loginScope) throw new TypeError(`no such scope: ${scope}`);
      const value = scope === apiScope ? current.api : current.login;
      return Promise.resolve({ value, quotaProject: this.quotaProject });
    },
    forget(scope) {
      this.forgotten.push(scope);
    },
  };
}
