import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { doctorCode, findingJson, findingLines, summary } from "./doctor-report.ts";
import { fail, type Finding, ok, skipped, untold, warn } from "./finding.ts";

const all: Finding[] = [
  ok("node.version", "Node.js 22"),
  warn("sqlite.space", "little", ["df -h"]),
  fail("store.open", "no", ["tape migrate"]),
  skipped("tls.certificate", "none"),
  untold("postgres.horizon", "may not see"),
];

describe("what the findings come to", () => {
  it.each([
    ["a failure outweighs all", all, true, 2],
    ["what could not be told outweighs warnings", all.filter(({ outcome }) => outcome !== "fail"), true, 3],
    ["a warning counts with --strict", all.slice(0, 2), true, 1],
    ["and only then", all.slice(0, 2), false, 0],
    ["what does not apply counts never", [...all.slice(0, 1), ...all.slice(3, 4)], true, 0],
    ["nothing at all is healthy", [], true, 0],
  ])("%s", (_what, findings, strict, code) => {
    expect(doctorCode(findings, strict)).toBe(code);
  });

  it("is said in one line, the gravest first", () => {
    expect(summary(all)).toBe("1 failure, 1 that could not be told, 1 warning, 1 ok, 1 skipped");
    expect(summary(all.slice(0, 1))).toBe("1 ok");
  });
});

describe("a finding on a terminal", () => {
  const plain = picocolors.createColors(false);

  it("is wrapped beside its id; commands stay whole", () => {
    const says = "a sentence that is too long for the width of this terminal";
    const lines = findingLines(
      warn("sqlite.space", says, ["df -h /a/very/long/path/that/goes/on   # then", "# make room"]),
      {
        colours: plain,
        columns: 72,
      },
    );
    expect(lines).toEqual([
      "warn    sqlite.space          a sentence that is too long for the width",
      "                              of this terminal",
      "                              $ df -h /a/very/long/path/that/goes/on   # then",
      "                              · make room",
    ]);
  });

  it("shows what others wrote without letting it move the cursor", () => {
    const [line] = findingLines(fail("store.open", "bad \u001B[2Jtext", []), { colours: plain, columns: 200 });
    expect(line).toContain(String.raw`bad \x1b[2Jtext`);
  });
});

it("as JSON has every field, whatever it is", () => {
  expect(findingJson(ok("node.version", "Node.js 22"))).toEqual({
    id: "node.version",
    asks: "Is Node.js new enough?",
    outcome: "ok",
    says: "Node.js 22",
    mend: [],
    untold: false,
    repair: null,
  });
});
