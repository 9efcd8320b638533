import { execFile } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { defaultArguments, dockerfileText, expandArguments, ownBuildContext, parseDockerfile } from "./dockerfile.ts";

const root: string = join(import.meta.dirname, "../..");

/**
 * Does in a folder what the Dockerfile's build stage does in a container: every COPY and RUN, in order, with `/src`,
 * `/app` and `/data` below that folder. Only the first installation, of the tools that compile, is replaced by the one
 * that the tests themselves run from. Resolves to the place of `/app`. What was installed for the tests is in npm's cache, so
 * its registry is not asked.
 */
export async function buildImageTree(folder: string, args: Readonly<Record<string, string>> = {}): Promise<string> {
  const instructions = parseDockerfile(dockerfileText());
  const values = { ...defaultArguments(instructions), ...args };
  const seen = ownBuildContext();
  const place = (text: string): string => text.replaceAll(/(?<![\w.])\/(src|app|data)(?![\w.])/g, `${folder}/$1`);
  const src = join(folder, "src");
  await mkdir(src, { recursive: true });
  for (const { keyword, rest, stage } of instructions) {
    if (stage !== 0) continue;
    if (keyword === "COPY") {
      const words = rest.split(/\s+/);
      const target = words.at(-1) ?? ".";
      for (const name of words.slice(0, -1)) {
        const into = target.endsWith("/") ? join(src, target, name) : join(src, target);
        await cp(join(root, name), into, { recursive: true, filter: (path) => seen(relative(root, path)) });
      }
    } else if (keyword === "RUN" && rest.startsWith("npm ci ")) {
      await symlink(join(root, "node_modules"), join(src, "node_modules"));
    } else if (keyword === "RUN") {
      await promisify(execFile)("sh", ["-c", place(expandArguments(rest, values))], {
        cwd: src,
        env: { ...process.env, npm_config_prefer_offline: "true" },
      });
    }
  }
  return join(folder, "app");
}
