import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkAuth, checkNode, checkTls, oldestNode } from "../../src/cli/doctor/environment.ts";
import { loadConfig } from "../../src/server/config.ts";
import packageJson from "../../package.json" with { type: "json" };

const tlsFolder = fileURLToPath(new URL("../server/tls/", import.meta.url));

describe("tape doctor: this machine and its settings", () => {
  it("asks for the Node.js that the package asks for", () => {
    expect(packageJson.engines.node).toBe(`>=${oldestNode.join(".")}`);
    expect(checkNode("20.19.0").outcome).toBe("ok");
    expect(checkNode("26.0.1").outcome).toBe("ok");
    expect(checkNode("20.18.9")).toMatchObject({ outcome: "fail", says: expect.stringContaining("20.19 or newer") });
    expect(checkNode("18.20.0").outcome).toBe("fail");
  });

  it.each([
    [{}, "ok"],
    [{ TAPE_LISTEN: "0.0.0.0:7878", TAPE_INSECURE_NO_AUTH: "1" }, "warn"],
    [{ TAPE_LISTEN: "0.0.0.0:7878", TAPE_AUTH: "token", TAPE_TOKENS: "t".repeat(32) }, "warn"],
    [{ TAPE_AUTH: "token", TAPE_TOKENS: "t".repeat(32) }, "ok"],
  ])("says who is let in: %o is %s", (env, outcome) => {
    expect(checkAuth(loadConfig({}, env)).outcome).toBe(outcome);
  });

  it("says how long the certificate is valid", () => {
    const config = (cert: string, key: string): ReturnType<typeof loadConfig> =>
      loadConfig({}, { TAPE_TLS_CERT: cert, TAPE_TLS_KEY: key });
    const [cert, key] = [join(tlsFolder, "cert.pem"), join(tlsFolder, "key.pem")];
    const valid = checkTls(config(cert, key), Date.now());
    expect(valid.outcome).toBe("ok");
    const days = Number(/for (\d+) days/.exec(valid.says)?.[1]);
    const dayMs = 86_400_000;
    expect(checkTls(config(cert, key), Date.now() + (days - 10) * dayMs)).toMatchObject({
      outcome: "warn",
      mend: [expect.stringContaining("openssl x509")],
    });
    expect(checkTls(config(cert, key), Date.now() + (days + 10) * dayMs).says).toContain("expired");
    expect(checkTls(config(cert, key), 0).says).toContain("not valid yet");
    expect(checkTls(loadConfig({}, {}), 0).outcome).toBe("skipped");

    const folder = mkdtempSync(join(tmpdir(), "tape-doctor-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const text = join(folder, "text.pem");
    writeFileSync(text, "no certificate");
    expect(checkTls(config(text, key), 0)).toMatchObject({ outcome: "fail", says: expect.stringContaining(text) });
    expect(checkTls(config(join(folder, "absent.pem"), key), 0).outcome).toBe("fail");
  });
});
