import { describe, expect, it } from "vitest";
import { createLogger, type LogOptions } from "./logger.ts";

function logged(options: LogOptions, write: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = "";
  write(createLogger(options, { write: (line) => (text += line) }));
  return text;
}

describe("the log", () => {
  it("is one JSON object a line, with the level's name and the time for people", () => {
    const text = logged({ format: "json", level: "info", colours: false }, (logger) => {
      logger.debug("not shown");
      logger.info({ address: "127.0.0.1:7878" }, "listening");
    });
    expect(JSON.parse(text)).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      address: "127.0.0.1:7878",
      msg: "listening",
    });
    expect(text.endsWith("}\n")).toBe(true);
  });

  it("is made for people on a terminal", () => {
    const text = logged({ format: "pretty", level: "info", colours: false }, (logger) => {
      logger.info({ rpc: "BeginRun", ms: 1.5, note: `a "b"` }, "call");
      logger.error({ err: new Error("the disk is gone") }, "broken");
    });
    const [first, second, third] = text.split("\n");
    expect(first).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}call rpc=BeginRun ms=1.5 note="a \\"b\\""$/);
    expect(second).toMatch(/ error broken$/);
    expect(third).toMatch(/^Error: the disk is gone/);
  });

  it("has colours only when asked", () => {
    const write = (logger: ReturnType<typeof createLogger>): void => logger.warn("x");
    expect(logged({ format: "pretty", level: "info", colours: true }, write)).toContain("\u001b[33m");
    expect(logged({ format: "pretty", level: "info", colours: false }, write)).not.toContain("\u001b");
  });
});
