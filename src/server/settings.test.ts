import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listSettings } from "./settings.ts";

const reference = readFileSync(join(import.meta.dirname, "../../docs/configuration.md"), "utf8");
const code = (text: string | null): string => (text === null || text === "" ? "" : `\`${text}\``);

describe("docs/configuration.md", () => {
  it("has the settings that there are, in their order, and no other", () => {
    const rows = listSettings().map(
      ({ env, flag, fallback, help }) => `| ${code(env)} | ${code(flag)} | ${code(fallback)} | ${help} |`,
    );
    expect(reference.split("\n").filter((line) => line.startsWith("| `TAPE_"))).toEqual(rows);
  });
});
