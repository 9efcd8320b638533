import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { projectFolder } from "./project.ts";

const run = promisify(execFile);
const folder = join(projectFolder, "bench/duplicates/peers");
/** What is installed, and for which Node. */
const stampFile = join(folder, "node_modules/.installed");

/** Packages that benchmarks of other systems need, when they are there. */
export interface Peers {
  /** Whether the native part of LangGraph's SQLite checkpointer could be made. */
  readonly hasSqlite: boolean;
  /** The version of a package. */
  version(name: string): string;
}

/**
 * Installs the other systems' packages, exactly those of their lock file, unless they are there, and compiles what uses
 * them. No script of a package runs but the one that makes the native part of better-sqlite3; so nobody is told of the
 * installation. Rejects where the registry cannot be reached.
 */
export async function installPeers(say: (line: string) => void): Promise<Peers> {
  const stamp = `${createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex")} ${process.versions.modules}`;
  if (!existsSync(stampFile) || readFileSync(stampFile, "utf8") !== stamp) {
    say("installing other systems from npm, once: this takes two minutes");
    const npm = (...args: readonly string[]): Promise<unknown> =>
      run("npm", [...args, "--prefix", folder], { maxBuffer: 2 ** 26 });
    await npm("ci", "--ignore-scripts", "--no-audit", "--no-fund").catch((error: unknown) => {
      throw new Error(
        `npm cannot install them (${outputOf(error, "stderr").split("\n")[0]}): is the registry reachable?`,
      );
    });
    await npm("rebuild", "better-sqlite3").catch(() => undefined);
    writeFileSync(stampFile, stamp);
  }
  const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  await run(process.execPath, [compiler, "-p", folder]).catch((error: unknown) => {
    throw new Error(`their agents do not compile: ${outputOf(error, "stdout")}`);
  });
  return {
    hasSqlite: existsSync(join(folder, "node_modules/better-sqlite3/build/Release/better_sqlite3.node")),
    version: (name) => {
      const manifest = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8");
      return (JSON.parse(manifest) as { version: string }).version;
    },
  };
}

/** A compiled agent of another system. */
export const peerAgent = (name: string): string => join(folder, "build/peers", `${name}.js`);

/** A file of a package. */
export const peerFile = (path: string): string => join(folder, "node_modules", path);

/** Nothing is told to anybody. */
export const peerEnvironment: Readonly<Record<string, string>> = {
  DO_NOT_TRACK: "1",
  LANGSMITH_TRACING: "false",
  LANGCHAIN_TRACING_V2: "false",
};

/** What a program that failed has written. */
function outputOf(error: unknown, stream: "stdout" | "stderr"): string {
  const { [stream]: text } = error as { readonly stdout?: unknown; readonly stderr?: unknown };
  return typeof text === "string" && text !== "" ? text : String(error);
}
