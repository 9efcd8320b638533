import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One instruction of a Dockerfile, its lines joined. */
export interface Instruction {
  /** In capitals. */
  readonly keyword: string;
  readonly rest: string;
  /** Number of the stage, from 0; -1 before the first FROM. */
  readonly stage: number;
}

/** What a container runtime takes from an image. */
export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  /** ENTRYPOINT. */
  readonly command: readonly string[];
  /** CMD. */
  readonly args: readonly string[];
  readonly healthCheck: readonly string[];
  readonly stopSignal: string;
  readonly user: string;
  readonly workingDir: string;
}

const folder: string = join(import.meta.dirname, "../../deploy/container");

/** The text of this project's Dockerfile. */
export const dockerfileText = (): string => readFileSync(join(folder, "Dockerfile"), "utf8");

/** Cuts a Dockerfile into its instructions, without comments. */
export function parseDockerfile(text: string): readonly Instruction[] {
  const lines = text.split("\n").filter((line) => !/^\s*(?:#|$)/.test(line));
  const joined = lines.join("\n").replaceAll(/\\\n\s*/g, "");
  let stage = -1;
  return joined.split("\n").map((line) => {
    const [, word = "", rest = ""] = /^(\S+)\s*(.*)$/.exec(line) ?? [];
    const keyword = word.toUpperCase();
    if (keyword === "FROM") stage += 1;
    return { keyword, rest, stage };
  });
}

/** Defaults of the ARGs of a Dockerfile, by name. */
export function defaultArguments(instructions: readonly Instruction[]): Readonly<Record<string, string>> {
  const given = instructions.filter(({ keyword }) => keyword === "ARG");
  return Object.fromEntries(given.flatMap(({ rest }) => assignments(rest)));
}

/** A text with `$NAME` and `${NAME}` replaced. */
export const expandArguments = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$\{?(\w+)\}?/g, (whole, name: string) => values[name] ?? whole);

/** The configuration of the image that a Dockerfile ends with. */
export function imageConfig(text: string): ImageConfig {
  const instructions = parseDockerfile(text);
  const last = Math.max(...instructions.map(({ stage }) => stage));
  const all = (wanted: string): readonly string[] =>
    instructions.filter(({ keyword, stage }) => keyword === wanted && stage === last).map(({ rest }) => rest);
  const newest = (wanted: string): string => all(wanted).at(-1) ?? "";
  return {
    env: Object.fromEntries(all("ENV").flatMap(assignments)),
    command: execForm(newest("ENTRYPOINT")) ?? [],
    args: execForm(newest("CMD")) ?? [],
    healthCheck: execForm(newest("HEALTHCHECK").replace(/^.*?\bCMD\s+/, "")) ?? [],
    stopSignal: newest("STOPSIGNAL"),
    user: newest("USER"),
    workingDir: newest("WORKDIR"),
  };
}

/** The words of an instruction in JSON form; `undefined` for one that a shell would run. */
export function execForm(rest: string): readonly string[] | undefined {
  try {
    const words: unknown = JSON.parse(rest);
    return Array.isArray(words) && words.every((word) => typeof word === "string") ? words : undefined;
  } catch {
    return undefined;
  }
}

/** `NAME=value OTHER="a value"` as pairs. */
function assignments(rest: string): readonly (readonly [string, string])[] {
  return [...rest.matchAll(/([\w.-]+)=("[^"]*"|\S*)/g)].map(([, name = "", value = ""]) => [
    name,
    value.replaceAll('"', ""),
  ]);
}

/** Which paths of the repository a build may see: `.dockerignore` rules, the last that matches decides. */
function buildContext(rules: string): (path: string) => boolean {
  const parsed = rules
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const pattern = line.replace(/^!/, "");
      const regex = pattern
        .replaceAll(/[.+^${}()|[\]]/g, String.raw`\$&`)
        .replaceAll("**/", "\u0000")
        .replaceAll("*", "[^/]*")
        .replaceAll("\u0000", "(?:.*/)?");
      // A rule for a folder holds for what is in it.
      return { seen: line.startsWith("!"), matches: new RegExp(`^${regex}(?:/|$)`) };
    });
  return (path) => parsed.findLast(({ matches }) => matches.test(path))?.seen ?? true;
}

/** This project's build context. */
export const ownBuildContext = (): ((path: string) => boolean) =>
  buildContext(readFileSync(join(folder, "Dockerfile.dockerignore"), "utf8"));
