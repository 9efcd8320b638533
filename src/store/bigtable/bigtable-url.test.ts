import { describe, expect, it } from "vitest";
import { parseBigtableUrl } from "./bigtable-url.ts";

describe("a Bigtable URL", () => {
  it("names project, instance and table", () => {
    expect(parseBigtableUrl("bigtable://my-project/my-instance/tape")).toEqual({
      project: "my-project",
      instance: "my-instance",
      table: "tape",
      appProfile: undefined,
      prefix: "",
      journal: undefined,
      feedLagMs: undefined,
      channels: 4,
      emulator: undefined,
    });
  });

  it("takes parameters", () => {
    const url =
      "bigtable://p1/i1/t?appProfile=tape&prefix=blue&journal=abc_-1&feedLagMs=500&channels=2&emulator=[::1]:8086";
    expect(parseBigtableUrl(url)).toMatchObject({
      appProfile: "tape",
      prefix: "blue",
      journal: "abc_-1",
      feedLagMs: 500,
      channels: 2,
      emulator: "[::1]:8086",
    });
    expect(parseBigtableUrl("bigtable://example.com:project/i1/t").project).toBe("example.com:project");
  });

  it.each([
    ["bigtable:", "must be bigtable://project/instance/table"],
    ["bigtable://p1", "must be bigtable://project/instance/table"],
    ["bigtable://p1/i1", "must be bigtable://project/instance/table"],
    ["bigtable://p1/i1/t/more", "must be bigtable://project/instance/table"],
    ["bigtable://p1/i1/t#x", "must be bigtable://project/instance/table"],
    ["bigtable://P1/i1/t", "the project must match"],
    ["bigtable://p1/i_1/t", "the instance must match"],
    ["bigtable://p1/i1/t%20", "the table must match"],
    ["bigtable://p1/i1/t?prefix=a/b", "the prefix must match"],
    ["bigtable://p1/i1/t?prefix=", "the prefix must match"],
    ["bigtable://p1/i1/t?prefix", "prefix must be given once, with a value"],
    ["bigtable://p1/i1/t?prefix=a&prefix=b", "prefix must be given once, with a value"],
    ["bigtable://p1/i1/t?app_profile=a", "there is no such parameter"],
    ["bigtable://p1/i1/t?feedLagMs=0", "feedLagMs must be a whole number from 50 to 60000"],
    ["bigtable://p1/i1/t?channels=a", "channels must be a whole number from 1 to 64"],
    ["bigtable://p1/i1/t?emulator=localhost", "the emulator must match"],
  ])("%s is refused: %s", (url, why) => {
    expect(() => parseBigtableUrl(url)).toThrow(expect.objectContaining({ reason: "STORE_URL_INVALID" }));
    expect(() => parseBigtableUrl(url)).toThrow(why);
  });
});
