import { X509Certificate } from "node:crypto";
import { TapeError } from "../../errors.ts";
import { loadConfig, type ServerConfig } from "../../server/config.ts";
import { isLoopback } from "../../server/config-values.ts";
import type { ConfigFlags, Environment } from "../../server/settings.ts";
import { readTlsIdentity } from "../../server/tls-identity.ts";
import { fail, type Finding, ok, skipped, warn } from "./finding.ts";

/** The oldest Node.js that Tape runs on; see `engines` in package.json (a test compares). */
export const oldestNode: readonly [major: number, minor: number] = [20, 19];

/** Whether Node.js is new enough, and nearly too old. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldestNode;
  const says = `Node.js ${version}`;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
    ? ok("node.version", says)
    : fail("node.version", `${says}: Tape needs ${oldestMajor}.${oldestMinor} or newer`, [
        "# install a newer one: https://nodejs.org",
      ]);
}

/** The settings that `tape serve` would run with; undefined with a finding that says why it would not. */
export function checkConfig(
  flags: ConfigFlags,
  env: Environment,
): { readonly config: ServerConfig | undefined; readonly finding: Finding } {
  try {
    const config = loadConfig(flags, env);
    const given = config.described.filter(({ source }) => source !== "default").map((setting) => setting.env);
    const says = given.length === 0 ? "all settings have their defaults" : `set: ${given.join(", ")}`;
    return { config, finding: ok("config.valid", says) };
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    return { config: undefined, finding: fail("config.valid", error.message, ["tape serve --help", "tape config"]) };
  }
}

/** Who is let in. */
export function checkAuth({ auth, listen, tls }: ServerConfig): Finding {
  const id = "auth.mode";
  if (auth === "none" && !isLoopback(listen.host)) {
    return warn(id, `everybody who reaches ${listen.host} may do everything (--insecure-no-auth)`, [
      "# set TAPE_AUTH (docs/auth.md), or listen on 127.0.0.1",
    ]);
  }
  if (auth === "none") return ok(id, "none, and only this machine reaches the server");
  if (tls === null && !isLoopback(listen.host)) {
    return warn(id, `${auth}, but the credentials travel in plain text on ${listen.host}`, [
      "# set TAPE_TLS_CERT and TAPE_TLS_KEY, unless a proxy in front ends TLS (Cloud Run does)",
    ]);
  }
  return ok(id, auth);
}

const dayMs = 86_400_000;
const renewDays = 21;

/** Whether the certificate is whole, fits its key and is valid for a while. */
export function checkTls({ tls }: ServerConfig, now: number): Finding {
  const id = "tls.certificate";
  if (tls === null) return skipped(id, "no TLS is set up");
  try {
    const { cert } = readTlsIdentity(tls);
    const { subject, validFromDate, validToDate } = validity(cert);
    const left = Math.floor((validToDate - now) / dayMs);
    const mend = [`openssl x509 -in ${tls.certFile} -noout -subject -dates   # then renew it and restart the server`];
    if (validFromDate > now) return fail(id, `the certificate of ${subject} is not valid yet`, mend);
    if (left < 0) return fail(id, `the certificate of ${subject} expired ${-left} days ago`, mend);
    const says = `the certificate of ${subject} is valid for ${left} days`;
    return left < renewDays ? warn(id, says, mend) : ok(id, says);
  } catch (error) {
    if (!(error instanceof TapeError)) throw error;
    return fail(id, error.message, ["# set TAPE_TLS_CERT and TAPE_TLS_KEY to PEM files that belong together"]);
  }
}

function validity(pem: Buffer): {
  readonly subject: string;
  readonly validFromDate: number;
  readonly validToDate: number;
} {
  const { subject, validFrom, validTo } = new X509Certificate(pem);
  return {
    subject: subject?.split("\n").at(-1) ?? "",
    validFromDate: Date.parse(validFrom),
    validToDate: Date.parse(validTo),
  };
}
