import { describe, expect, it } from "vitest";
import { parseOptions } from "../../bench/duplicates/options.ts";

describe("options of the duplicate benchmark", () => {
  it("have defaults", () => {
    expect(parseOptions([])).toMatchObject({
      runs: 1000,
      batch: 125,
      json: false,
      worlds: ["keys", "look-up", "blind"],
    });
  });

  it("may ask for help", () => {
    expect(parseOptions(["--help"])).toBeUndefined();
  });

  it.each([
    [["--runs", "0"], '--runs "0" is not a whole number above 0'],
    [["--batch", "many"], '--batch "many" is not a whole number above 0'],
    [["--systems", "tape,temporal"], '--systems knows no "temporal"; choose of bare, tape, restate, dbos, langgraph'],
    [["--stores", ""], '--stores knows no ""'],
    [["--speed", "9"], "Unknown option '--speed'"],
  ])("refuse %j", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
