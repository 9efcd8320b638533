import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { credentialViolations } from "./credential-rules.ts";

const source = join(import.meta.dirname, "../../src");
const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => join(entry.parentPath, entry.name))
  .map((path) => ({ path: relative(source, path), text: readFileSync(path, "utf8") }));

describe("credentials are compared by one function, in equal time", () => {
  it("in all sources", () => {
    expect(files.length).toBeGreaterThan(200);
    expect(credentialViolations(files)).toEqual([]);
  });

  it.each([
    ["by ===", "if (credential.token === presented) return door;"],
    ["by ===, the other way round", "doors.find((door) => given === door.token)"],
    ["by !==", "if (headers.authorization !== expected) throw no();"],
    ["by a search in a list", "if (tokens.includes(token)) return true;"],
    ["by a search in a text", "if (authorization.startsWith(prefix)) return true;"],
    ["by itself", 'import { timingSafeEqual } from "node:crypto";'],
  ])("which a file that compares %s is found not to do", (_how, text) => {
    expect(credentialViolations([...files, { path: "server/hasty.ts", text }])).toHaveLength(1);
  });

  it.each([
    ["stops at the first that fits", "admission = door.admission;", "return door.admission;"],
    ["compares texts", "timingSafeEqual(door.digest, presented)", "door.digest.equals(presented)"],
    ["compares what differs in length", 'createHash("sha256").update(token).digest()', "Buffer.from(token)"],
  ])("and which it does not when it %s", (_what, good, bad) => {
    const spoiled = files.map((file) =>
      file.path === "server/authenticator.ts" ? { ...file, text: file.text.replace(good, bad) } : file,
    );
    expect(credentialViolations(spoiled).length).toBeGreaterThan(0);
  });
});
