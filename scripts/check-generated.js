// Generates the code of the contract anew, elsewhere, and fails if it differs from what is committed.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const generated = "src/rpc/gen";
const folder = mkdtempSync(join(tmpdir(), "tape-generated-"));
try {
  // `buf generate -o` puts the output paths of buf.gen.yaml below this folder.
  execFileSync("buf", ["generate", "-o", folder], { stdio: "inherit" });
  const fresh = contents(join(folder, generated));
  const committed = contents(generated);
  const stale = [...new Set([...fresh.keys(), ...committed.keys()])].filter(
    (file) => fresh.get(file) !== committed.get(file),
  );
  if (stale.length > 0) {
    console.error(`not what proto/ says, run \`npm run generate\`:\n${stale.join("\n")}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** @param {string} root */
function contents(root) {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name));
  return new Map(paths.map((path) => [relative(root, path), readFileSync(path, "utf8")]));
}
