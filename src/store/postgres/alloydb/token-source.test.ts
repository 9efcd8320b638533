import { describe, expect, it } from "vitest";
import { TapeError } from "../../../errors.ts";
import { apiScope, googleTokens, loginScope, type AuthLibrary } from "./token-source.ts";

/** An auth library that gives what `answers` says, and counts its clients. */
function library(answer: (scope: string) => Promise<string | null>) {
  const made: string[] = [];
  class GoogleAuth {
    readonly #scope: string;
    constructor({ scopes }: { readonly scopes: string }) {
      this.#scope = scopes;
      made.push(scopes);
    }
    getClient(): ReturnType<InstanceType<AuthLibrary["GoogleAuth"]>["getClient"]> {
      const getAccessToken = async () => ({ token: await answer(this.#scope) });
      return Promise.resolve({ quotaProjectId: "billed", getAccessToken });
    }
  }
  return { made, load: () => Promise.resolve({ GoogleAuth }) };
}

describe("tokens of google-auth-library", () => {
  it("come from one client for each scope until they are forgotten", async () => {
    const { made, load } = library((scope) => Promise.resolve(`token for ${scope}`));
    const tokens = await googleTokens(1000, load);
    expect(await tokens.token(apiScope)).toEqual({ value: `token for ${apiScope}`, quotaProject: "billed" });
    await tokens.token(apiScope);
    await tokens.token(loginScope);
    expect(made).toEqual([apiScope, loginScope]);
    tokens.forget(apiScope);
    await tokens.token(apiScope);
    expect(made).toEqual([apiScope, loginScope, apiScope]);
  });

  it("say what to install when the library is missing", async () => {
    const missing = googleTokens(1000, () => Promise.reject(new Error("Cannot find package")));
    await expect(missing).rejects.toMatchObject({
      reason: "DRIVER_MISSING",
      message: expect.stringContaining("npm install google-auth-library"),
    });
  });

  it("load the library that is installed", async () => {
    expect(await googleTokens(1000)).toHaveProperty("token");
  });

  it.each([
    ["no credentials", new Error("Could not load the default credentials.\nMore"), "STORE_NOT_USABLE"],
    ["a revoked key", new Error("invalid_grant"), "STORE_NOT_USABLE"],
    ["no network", Object.assign(new Error("request failed"), { code: "ENOTFOUND" }), "STORE_UNAVAILABLE"],
    ["an outage", Object.assign(new Error("Service Unavailable"), { status: 503 }), "STORE_UNAVAILABLE"],
  ])("translate %s, without the library's error, which holds keys", async (_, failure, reason) => {
    const { made, load } = library(() => Promise.reject(failure));
    const tokens = await googleTokens(1000, load);
    const error: unknown = await tokens.token(apiScope).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TapeError);
    expect(error).toMatchObject({ reason });
    expect(error).not.toHaveProperty("cause");
    expect((error as Error).message).not.toContain("\n");
    await expect(tokens.token(apiScope)).rejects.toThrow(TapeError);
    expect(made).toHaveLength(2);
  });

  it("refuse an empty token", async () => {
    const tokens = await googleTokens(1000, library(() => Promise.resolve(null)).load);
    await expect(tokens.token(apiScope)).rejects.toMatchObject({ reason: "STORE_NOT_USABLE" });
  });

  it("are not waited for without end", async () => {
    const tokens = await googleTokens(1, library(() => new Promise<string>(() => undefined)).load);
    await expect(tokens.token(apiScope)).rejects.toMatchObject({
      reason: "STORE_UNAVAILABLE",
      message: "Google gave no access token within 1 ms; check the network, try again",
    });
  });
});
