// Runs every gate, which is every script of package.json named `check:...`, also after one has failed, and ends with
// what failed. Run it as `npm run check`, so that the tools are on the path.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const manifest = /** @type {{ scripts: Record<string, string> }} */ (JSON.parse(readFileSync("package.json", "utf8")));
const gates = Object.entries(manifest.scripts).filter(([name]) => name.startsWith("check:"));

const failed = gates.filter(([name, command]) => {
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(command, { shell: true, encoding: "utf8", maxBuffer: 2 ** 28 });
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${command}, ${Date.now() - started} ms)`);
  if (status !== 0) console.log(stdout + stderr);
  return status !== 0;
});

console.log(failed.length === 0 ? `${gates.length} gates hold` : `failed: ${failed.map(([name]) => name).join(", ")}`);
if (failed.length > 0) process.exitCode = 1;
