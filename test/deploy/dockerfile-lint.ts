import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  defaultArguments,
  execForm,
  expandArguments,
  imageConfig,
  parseDockerfile,
  type Instruction,
} from "./dockerfile.ts";

/** What a Dockerfile is judged by. */
interface Surroundings {
  /** The folder that the build begins from. */
  readonly root: string;
  /** Whether the build may see a path. */
  readonly seen: (path: string) => boolean;
}

/** What is wrong with a Dockerfile, a sentence each; empty when nothing is. */
export function lintDockerfile(text: string, surroundings: Surroundings): readonly string[] {
  const instructions = parseDockerfile(text);
  const image = imageConfig(text);
  return [
    ...instructions.flatMap((instruction) => lintInstruction(instruction, instructions, surroundings)),
    ...(/^[1-9]\d*:[1-9]\d*$/.test(image.user) ? [] : ["USER is not a number other than 0, with a group"]),
    ...(image.command.length > 0 ? [] : ["ENTRYPOINT is not in exec form"]),
    ...(image.healthCheck.length > 0 ? [] : ["HEALTHCHECK is not in exec form"]),
    ...(image.stopSignal === "SIGTERM" ? [] : ["STOPSIGNAL is not SIGTERM"]),
    ...(image.env["NODE_ENV"] === "production" ? [] : ["NODE_ENV is not production"]),
  ];
}

function lintInstruction(
  { keyword, rest, stage }: Instruction,
  all: readonly Instruction[],
  { root, seen }: Surroundings,
): readonly string[] {
  switch (keyword) {
    case "FROM": {
      const image = expandArguments(rest.split(/\s+/)[0] ?? "", defaultArguments(all));
      return /:\d+\.\d+\.\d+[\w.-]*(?:@sha256:[\da-f]{64})?$/.test(image) ? [] : [`FROM ${image} is not pinned`];
    }
    case "ADD":
      return [`ADD ${rest}: say COPY, which fetches and unpacks nothing`];
    case "RUN":
      return /\b(?:curl|wget|git clone|apt-get|npm install|npx)\b/.test(rest) ? [`RUN ${rest}: not reproducible`] : [];
    case "ENV":
    case "ARG":
      return /(?:TOKEN|PASSWORD|SECRET|CREDENTIAL)\w*=/i.test(rest) ? [`${keyword} ${rest}: looks like a secret`] : [];
    case "COPY":
      return copiedFiles(rest, all, stage).flatMap((path) => [
        ...(path !== "." && existsSync(join(root, path)) ? [] : [`COPY ${path}: there is no such file`]),
        ...(seen(path) ? [] : [`COPY ${path}: .dockerignore keeps it from the build`]),
      ]);
    case "CMD":
      return execForm(rest) === undefined ? [`CMD ${rest}: not in exec form`] : [];
    default:
      return [];
  }
}

/** The paths of the build context that a COPY takes; none for one that copies from another stage. */
function copiedFiles(rest: string, all: readonly Instruction[], stage: number): readonly string[] {
  const words = rest.split(/\s+/);
  const from = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  const earlier = all.filter((other) => other.keyword === "FROM" && other.stage < stage);
  if (from !== undefined) {
    return earlier.some((other) => other.rest.endsWith(` AS ${from}`)) ? [] : [`--from=${from}`];
  }
  return words.filter((word) => !word.startsWith("--")).slice(0, -1);
}
