import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerJson, audience, LocalIssuer, makeKey } from "../../../test/server/local-issuer.ts";
import type { Admission, Authenticator } from "../authenticator.ts";
import type { AdmissionRule } from "./admission-rule.ts";
import { admitIdTokens, type IdTokenGateOptions } from "./id-token-gate.ts";
import type { TrustedIssuer } from "./trusted-issuer.ts";
import { eventually } from "../../../test/eventually.ts";

const agents: AdmissionRule = { tenant: "acme", scopes: null, subjects: ["agent-1"] };
const acme = { partition: "acme", tenant: "acme" };
const hour = 3_600_000;

let issuer: LocalIssuer;
let now: number;

beforeEach(async () => {
  issuer = await LocalIssuer.open();
  now = Date.now();
});

afterEach(async () => {
  vi.useRealTimers();
  await issuer[Symbol.asyncDispose]();
});

/** Goes on to a later time, for the gate and for the library that keeps the keys. */
function later(ms: number): void {
  now += ms;
  vi.useFakeTimers({ toFake: ["Date"], now });
}

function gate(options: Partial<IdTokenGateOptions> = {}, trusted: Partial<TrustedIssuer> = {}): Authenticator {
  const config = { issuer: issuer.trusted(trusted), audiences: [audience], rules: [agents] };
  return admitIdTokens(config, { maxWaiting: 100, now: () => now, ...options });
}

function admit(enter: Authenticator, token: string): Promise<Admission> {
  return (async () => await enter(`Bearer ${token}`))();
}

const keysAsked = (): number => issuer.requests.filter((path) => path === "/keys").length;

describe("a token that was found good", () => {
  it("is known from then on, at once and without the issuer", async () => {
    const enter = gate();
    const token = await issuer.sign();
    const first = await enter(`Bearer ${token}`);
    expect(first).toEqual({ access: acme, expiresAtMs: expect.any(Number) });
    issuer.behaviour = (_request, response) => response.destroy();
    expect(enter(`bearer  ${token} `)).toBe(first);
    expect(issuer.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  it("stops being known at its expiry, and is refused when clocks cannot explain it", async () => {
    const enter = gate();
    const exp = Math.floor(now / 1000) + 120;
    const token = await issuer.sign({ exp });
    const known = await admit(enter, token);
    expect(known.expiresAtMs).toBe(exp * 1000 + 30_000);
    later(exp * 1000 - 1 - now);
    expect(enter(`Bearer ${token}`)).toBe(known);
    later(1);
    // No longer known: it is looked at again, with the tolerance that a wrong clock gets.
    expect(enter(`Bearer ${token}`)).toBeInstanceOf(Promise);
    await admit(enter, token);
    expect(enter(`Bearer ${token}`)).toBeInstanceOf(Promise);
    await admit(enter, token);
    later(30_000);
    await expect(admit(enter, token)).rejects.toMatchObject({
      reason: "CREDENTIALS_EXPIRED",
      message: expect.stringContaining(new Date(exp * 1000).toISOString()),
    });
  });

  it("does not outlive the key that it is signed with by more than keys are kept", async () => {
    const enter = gate();
    const token = await issuer.sign();
    await admit(enter, token);
    issuer.keys = [await makeKey("RS256", "rsa-2")];
    later(11 * 60_000);
    await expect(admit(enter, token)).rejects.toMatchObject({ reason: "CREDENTIALS_INVALID" });
  });

  it("gives all callers of a rule one access, on which things can be kept", async () => {
    const enter = gate();
    const [first, second] = [await issuer.sign({ jti: "1" }), await issuer.sign({ jti: "2" })];
    expect((await admit(enter, first)).access).toBe((await admit(enter, second)).access);
  });

  it("makes room for others when it was not used for longest", async () => {
    const enter = gate({ maxKnown: 2 });
    const [a, b, c] = [
      await issuer.sign({ jti: "a" }),
      await issuer.sign({ jti: "b" }),
      await issuer.sign({ jti: "c" }),
    ];
    for (const token of [a, b, a, c]) await admit(enter, token);
    for (const token of [a, c]) expect(enter(`Bearer ${token}`)).not.toBeInstanceOf(Promise);
    expect(enter(`Bearer ${b}`)).toBeInstanceOf(Promise);
  });
});

describe("many calls at once", () => {
  it("verify one token once", async () => {
    const enter = gate();
    const token = await issuer.sign();
    const admissions = await Promise.all(Array.from({ length: 100 }, () => admit(enter, token)));
    expect(new Set(admissions).size).toBe(1);
    expect(issuer.requests).toEqual(["/.well-known/openid-configuration", "/keys"]);
  });

  it("wait only so many at a time for a slow issuer; more are refused, and the rest are answered", async () => {
    const enter = gate({ maxWaiting: 3 });
    let answer = (): void => {};
    issuer.behaviour = (_request, response) => {
      answer = () => answerJson(response, { issuer: issuer.url, jwks_uri: issuer.jwksUrl });
    };
    const token = await issuer.sign();
    const waiting = [1, 2, 3].map(() => admit(enter, token));
    await expect(admit(enter, token)).rejects.toMatchObject({ reason: "OVERLOADED" });
    await eventually(() => expect(issuer.requests).toHaveLength(1));
    issuer.behaviour = undefined;
    answer();
    for (const { access } of await Promise.all(waiting)) expect(access).toEqual(acme);
    expect((await admit(enter, token)).access).toEqual(acme);
  });
});

describe("keys", () => {
  it("may be of any asymmetric kind", async () => {
    issuer.keys = await Promise.all([
      makeKey("RS256", "a"),
      makeKey("ES256", "b"),
      makeKey("EdDSA", "c"),
      makeKey("PS256", "d"),
    ]);
    const enter = gate({}, { algorithms: ["RS256", "ES256", "EdDSA", "PS256"] });
    for (const key of issuer.keys) expect((await admit(enter, await issuer.sign({}, key))).access).toEqual(acme);
  });

  it("are read again for one that is new, but not more often than the issuer can bear", async () => {
    const enter = gate();
    await admit(enter, await issuer.sign());
    const next = await makeKey("RS256", "rsa-2");
    for (let n = 0; n < 50; n++) {
      const unknown = admit(enter, await issuer.sign({ jti: `${n}` }, next));
      await expect(unknown).rejects.toMatchObject({ reason: "CREDENTIALS_INVALID" });
    }
    expect(keysAsked()).toBe(1);
    issuer.keys = [...issuer.keys, next];
    later(31_000);
    expect((await admit(enter, await issuer.sign({}, next))).access).toEqual(acme);
    expect(keysAsked()).toBe(2);
  });

  it("serve on while the issuer is away, but not for ever, and no other key is taken", async () => {
    const enter = gate();
    await admit(enter, await issuer.sign());
    issuer.behaviour = (_request, response) => response.destroy();
    const unknown = await issuer.sign({}, await makeKey("RS256", "rsa-2"));
    later(hour);
    expect((await admit(enter, await issuer.sign({ jti: "2", exp: now / 1000 + 60 }))).access).toEqual(acme);
    await expect(admit(enter, unknown)).rejects.toMatchObject({ reason: "ISSUER_UNAVAILABLE", retryable: true });
    later(24 * hour);
    const late = await issuer.sign({ exp: now / 1000 + 60 });
    await expect(admit(enter, late)).rejects.toMatchObject({ reason: "ISSUER_UNAVAILABLE" });
    issuer.behaviour = undefined;
    later(2000);
    expect((await admit(enter, late)).access).toEqual(acme);
  });

  it("that were never read admit nobody, and a flood of tokens asks for them once", async () => {
    const enter = gate();
    issuer.behaviour = (_request, response) => answerJson(response, {}, 503);
    for (let n = 0; n < 50; n++) {
      await expect(admit(enter, await issuer.sign({ jti: `${n}` }))).rejects.toMatchObject({
        reason: "ISSUER_UNAVAILABLE",
        message: expect.stringContaining("HTTP status 503"),
        ids: { issuer: issuer.url },
      });
    }
    expect(issuer.requests).toHaveLength(1);
    issuer.behaviour = undefined;
    later(2000);
    expect((await admit(enter, await issuer.sign())).access).toEqual(acme);
  });

  it("are not waited for longer than allowed", async () => {
    const enter = gate({ keyTimes: { timeoutMs: 20 } });
    issuer.behaviour = () => {};
    await expect(admit(enter, await issuer.sign())).rejects.toMatchObject({
      reason: "ISSUER_UNAVAILABLE",
      message: expect.stringContaining("too slow"),
    });
  });

  it.each<[string, LocalIssuer["behaviour"], string]>([
    ["are no JSON", (_request, response) => response.end("<html>"), "not JSON"],
    ["are no key set", (_request, response) => answerJson(response, { keys: "none" }), "no key set"],
    ["do not end", (_request, response) => response.end("x".repeat(2 ** 20 + 1)), "more than 1048576 bytes"],
    [
      "are somewhere else",
      (_request, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
      "HTTP status 302",
    ],
  ])("admit nobody when they %s", async (_what, behaviour, fault) => {
    const enter = gate({}, { jwksUrl: issuer.jwksUrl });
    issuer.behaviour = behaviour;
    for (let n = 0; n < 5; n++) {
      await expect(admit(enter, await issuer.sign({ jti: `${n}` }))).rejects.toMatchObject({
        reason: "ISSUER_UNAVAILABLE",
        message: expect.stringContaining(fault),
      });
    }
    expect(keysAsked()).toBe(1);
  });

  it.each<[string, object, string]>([
    ["of another issuer", { issuer: "https://evil.example", jwks_uri: "https://evil.example/keys" }, "another issuer"],
    ["without keys", { jwks_uri: undefined }, "names no jwks_uri"],
    ["with keys in plain text", { jwks_uri: "http://evil.example/keys" }, "must be https://"],
  ])("are not looked for where a document %s says", async (_what, document, fault) => {
    const enter = gate();
    const said = { issuer: issuer.url, jwks_uri: issuer.jwksUrl, ...document };
    issuer.behaviour = (_request, response) => answerJson(response, said);
    await expect(admit(enter, await issuer.sign())).rejects.toMatchObject({
      reason: "ISSUER_UNAVAILABLE",
      message: expect.stringContaining(fault),
    });
    expect(keysAsked()).toBe(0);
  });
});
