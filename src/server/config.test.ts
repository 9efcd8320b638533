import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { TapeError } from "../errors.ts";
import { describeConfig, loadConfig, type ServerConfig } from "./config.ts";
import type { ConfigFlags, Environment } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "tape-config-"));
const tokensFile = join(folder, "tokens");
writeFileSync(tokensFile, "# who\n\nacme:token-of-acme-001\r\n token-of-nobody-1 , a:b:token-of-a-b-0001==\n");

afterAll(() => rmSync(folder, { recursive: true }));

function load(flags: ConfigFlags = {}, env: Environment = {}): ServerConfig {
  return loadConfig(flags, env, false);
}

function fault(flags: ConfigFlags, env: Environment = {}): string {
  try {
    load(flags, env);
  } catch (error) {
    if (error instanceof TapeError && error.reason === "CONFIG_INVALID") return error.message;
    throw error;
  }
  return "none";
}

describe("the configuration", () => {
  it("has a default for everything", () => {
    const { described: _, ...config } = load();
    expect(config).toEqual({
      store: "sqlite:./tape.db",
      migrate: true,
      listen: { host: "127.0.0.1", port: 7878 },
      auth: "none",
      credentials: [],
      idTokens: null,
      tls: null,
      log: { format: "json", level: "info", colours: false },
      metricsListen: null,
      maxMessageBytes: 16 * 2 ** 20,
      maxPayloadBytes: 8 * 2 ** 20,
      maxPending: 10_000,
      maxBufferedBytes: 256 * 2 ** 20,
      maxStreams: 1000,
      maxConnections: 10_000,
      requestTimeoutMs: 60_000,
      idleTimeoutMs: 300_000,
      keepaliveMs: 30_000,
      graceMs: 10_000,
      cacheBytes: 128 * 2 ** 20,
      retention: {},
    });
  });

  it("takes flags before the environment before defaults, and an empty variable for none", () => {
    const env = { TAPE_STORE: "memory:", TAPE_LISTEN: "[::1]:1", TAPE_GRACE_MS: "" };
    const config = load({ listen: "localhost:0", migrate: true, insecureNoAuth: undefined }, env);
    expect(config).toMatchObject({ store: "memory:", listen: { host: "localhost", port: 0 }, graceMs: 10_000 });
    const sources = describeConfig(config).map(({ name, source }) => [name, source]);
    expect(Object.fromEntries(sources)).toMatchObject({
      store: "environment",
      listen: "flag",
      graceMs: "default",
      migrate: "default",
    });
  });

  it("knows --no-migrate", () => {
    expect(load({ migrate: false }).migrate).toBe(false);
    expect(load({ migrate: true }, { TAPE_MIGRATE: "0" }).migrate).toBe(false);
  });

  it("reads credentials of both places, and never shows them", () => {
    const config = load({ auth: "token", tokensFile }, { TAPE_TOKENS: "inline-token-0001" });
    expect(config.credentials).toEqual([
      { token: "inline-token-0001", tenant: null },
      { token: "token-of-acme-001", tenant: "acme" },
      { token: "token-of-nobody-1", tenant: null },
      { token: "token-of-a-b-0001==", tenant: "a:b" },
    ]);
    const shown = JSON.stringify(describeConfig(config));
    expect(shown).not.toContain("token-0001");
    expect(shown).toContain("(masked)");
  });

  it("never shows a store's password", () => {
    const config = load({ store: "postgres://tape:hunter2@db/tape" });
    expect(config.store).toContain("hunter2");
    expect(JSON.stringify(describeConfig(config))).not.toContain("hunter2");
  });

  it("lowers the limit of payloads with that of messages", () => {
    expect(load({ maxMessageBytes: "1MiB" })).toMatchObject({ maxMessageBytes: 2 ** 20, maxPayloadBytes: 2 ** 20 });
  });

  it("reads how long runs are kept", () => {
    const [day, hour] = [86_400_000, 3_600_000];
    expect(load({ retention: "90d" }).retention).toEqual({ runsMs: 90 * day });
    expect(load({ retention: "36h" }, { TAPE_RETENTION_PAYLOADS: "30m" }).retention).toEqual({
      runsMs: 36 * hour,
      payloadsMs: hour / 2,
    });
    expect(load({ retentionDeadTasks: "1d" }).retention).toEqual({ deadTasksMs: day });
    expect(load({ retentionPayloads: "90d", retention: "2160h" }).retention.payloadsMs).toBe(90 * day);
  });

  it("is pretty and coloured on a terminal, unless NO_COLOR says otherwise", () => {
    expect(loadConfig({}, {}, true).log).toEqual({ format: "pretty", level: "info", colours: true });
    expect(loadConfig({}, { NO_COLOR: "1" }, true).log.colours).toBe(false);
    expect(loadConfig({ log: "json" }, {}, true).log.format).toBe("json");
  });

  it.each<[ConfigFlags, Environment, RegExp]>([
    [{ listen: "7878" }, {}, /^--listen: "7878" is no host:port/],
    [{}, { TAPE_LISTEN: "127.0.0.1:65536" }, /^TAPE_LISTEN: "127.0.0.1:65536"/],
    [{ listen: "::1:7878" }, {}, /^--listen/],
    [{ auth: "basic" }, {}, /^--auth: "basic" is none of none, token, google, jwt/],
    [{ auth: "token" }, {}, /^--auth: token needs TAPE_TOKENS/],
    [{}, { TAPE_TOKENS: "token-of-acme-001" }, /^TAPE_AUTH: none ignores the tokens/],
    [{ listen: "0.0.0.0:7878" }, {}, /^--listen: 0.0.0.0:7878 can be reached by others/],
    [{ auth: "token" }, { TAPE_TOKENS: "short" }, /^TAPE_TOKENS, line 1: a token needs at least 16/],
    [{ auth: "token" }, { TAPE_TOKENS: ":token-of-acme-001" }, /^TAPE_TOKENS, line 1: the tenant .* is empty/],
    [{ auth: "token" }, { TAPE_TOKENS: "tenant:not a token at all" }, /^TAPE_TOKENS, line 1: a token is letters/],
    [
      { auth: "token" },
      { TAPE_TOKENS: "token-of-acme-001,b:token-of-acme-001" },
      /^TAPE_TOKENS: a token stands there twice/,
    ],
    [{ tokensFile: "/nowhere/tokens" }, {}, /^--tokens-file: cannot read \/nowhere\/tokens/],
    [{ tlsCert: "a" }, {}, /^--tls-cert: needs a key/],
    [{}, { TAPE_TLS_KEY: "a" }, /^TAPE_TLS_KEY: needs a certificate/],
    [{ log: "xml" }, {}, /^--log: "xml"/],
    [{ logLevel: "loud" }, {}, /^--log-level: "loud"/],
    [{ maxMessageBytes: "16MB" }, {}, /^--max-message-bytes: "16MB" is no size/],
    [{ maxMessageBytes: "1" }, {}, /^--max-message-bytes: "1" is no size from 1024/],
    [{ maxPending: "0" }, {}, /^--max-pending: "0" is no whole number from 1/],
    [{}, { TAPE_GRACE_MS: "10s" }, /^TAPE_GRACE_MS: "10s" is no whole number/],
    [{ retention: "90" }, {}, /^--retention: "90" is no length of time; write 90d/],
    [{}, { TAPE_RETENTION: "0d" }, /^TAPE_RETENTION: "0d" is no length of time/],
    [
      { retention: "7d" },
      { TAPE_RETENTION_PAYLOADS: "8d" },
      /^TAPE_RETENTION_PAYLOADS: payloads cannot be kept 8d when/,
    ],
    [{}, { TAPE_MIGRATE: "yes" }, /^TAPE_MIGRATE: "yes" is none of 1, true, 0, false/],
  ])("refuses %j %j in one clear line", (flags, env, expected) => {
    const message = fault(flags, env);
    expect(message).toMatch(expected);
    expect(message).not.toContain("\n");
    expect(message).not.toMatch(/token-of|not a token at all|short/);
  });

  it("lets others in without authentication only when told so in full", () => {
    expect(load({ listen: "0.0.0.0:7878", insecureNoAuth: true }).listen.host).toBe("0.0.0.0");
    for (const listen of ["127.1.2.3:1", "localhost:1", "[::1]:1"]) expect(load({ listen }).auth).toBe("none");
  });
});
