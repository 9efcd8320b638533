import { join } from "node:path";
import { describe, expect, it } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { defaultArguments, dockerfileText, ownBuildContext, parseDockerfile } from "./dockerfile.ts";
import { lintDockerfile } from "./dockerfile-lint.ts";

const surroundings = { root: join(import.meta.dirname, "../.."), seen: ownBuildContext() };
const text = dockerfileText();

it("the Dockerfile is as it should be", () => {
  expect(lintDockerfile(text, surroundings)).toEqual([]);
});

it("is labelled with the version of the package", () => {
  expect(defaultArguments(parseDockerfile(text))["VERSION"]).toBe(manifest.version);
});

describe("a Dockerfile with a fault is caught:", () => {
  it.each<[string, (good: string) => string, string]>([
    ["a tag that moves", (good) => good.replace(/node:[\w.-]+$/m, "node:22-slim"), "FROM node:22-slim is not pinned"],
    ["no tag", (good) => good.replace(/node:[\w.-]+$/m, "node"), "FROM node is not pinned"],
    ["root", (good) => good.replace(/^USER .*$/m, "USER 0:0"), "USER is not a number"],
    ["a user by name", (good) => good.replace(/^USER .*$/m, "USER node"), "USER is not a number"],
    ["no user", (good) => good.replace(/^USER .*$/m, ""), "USER is not a number"],
    ["a download", (good) => `${good}\nADD https://example.com/x /x`, "ADD https://example.com/x /x"],
    ["a tool from the network", (good) => `${good}\nRUN apt-get install -y curl`, "not reproducible"],
    ["a shell as process 1", (good) => good.replace(/^ENTRYPOINT .*$/m, "ENTRYPOINT node x.js"), "ENTRYPOINT is not"],
    [
      "a health check in a shell",
      (good) => good.replace(/CMD \["node", "\/app\/h.*$/m, "CMD node h"),
      "HEALTHCHECK is",
    ],
    ["arguments for a shell", (good) => good.replace(/^CMD .*$/m, "CMD serve"), "CMD serve: not in exec form"],
    ["a file that is not there", (good) => good.replace("COPY src ./src", "COPY sources ./src"), "COPY sources: there"],
    ["a file that is kept away", (good) => good.replace("COPY src ./src", "COPY docs ./docs"), "COPY docs: .dockerign"],
    ["a stage that is not there", (good) => good.replaceAll("--from=build", "--from=b"), "COPY --from=b: there is no"],
    ["a secret", (good) => good.replace("ENV NODE_ENV", "ENV TAPE_TOKENS=x NODE_ENV"), "looks like a secret"],
    ["another signal", (good) => good.replace("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGQUIT"), "STOPSIGNAL is not"],
    ["a developer's environment", (good) => good.replace("NODE_ENV=production", "NODE_ENV=test"), "NODE_ENV is not"],
  ])("%s", (_what, spoil, complaint) => {
    expect(spoil(text)).not.toBe(text);
    expect(lintDockerfile(spoil(text), surroundings).join("\n")).toContain(complaint);
  });
});
