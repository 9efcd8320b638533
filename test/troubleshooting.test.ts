import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const sections = readFileSync(join(root, "docs/troubleshooting.md"), "utf8")
  .split(/^### /m)
  .slice(1)
  // A chapter's heading ends the section before it.
  .map((text) => text.split(/^## /m)[0] ?? "")
  .map((text) => ({ title: text.split("\n")[0] ?? "", text: text.trim() }));

const lastLine = (text: string): string => text.split("\n").at(-1) ?? "";
const isSaidSo = ({ text }: { readonly text: string }): boolean => lastLine(text).startsWith("No test reproduces ");

describe("docs/troubleshooting.md: what is said to be reproduced by a test is", () => {
  it("has a section for what people see", () => {
    expect(sections.length).toBeGreaterThan(30);
  });

  it.each(sections.filter((section) => !isSaidSo(section)))("$title", ({ text }) => {
    const [, file = "", title = ""] = /^Test: `([^`]+)`: "(.+)"$/.exec(lastLine(text)) ?? [];
    expect(file).not.toBe("");
    // Titles stand in the call, or on a line of their own beneath it.
    const lines = readFileSync(join(root, file), "utf8").split("\n");
    const calls = lines.map((line, i) => `${lines[i - 2] ?? ""} ${lines[i - 1] ?? ""} ${line}`);
    expect(calls.some((call) => /\b(?:it|test|describe\w*|rule)\b/.test(call) && call.includes(title))).toBe(true);
  });

  it.each(sections.filter((section) => isSaidSo(section)))("$title: not, but its check is tested", ({ text }) => {
    const [, folder = ""] = /tested: `([^`]+)`\.$/.exec(lastLine(text)) ?? [];
    expect(readdirSync(join(root, folder)).some((name) => name.endsWith(".test.ts"))).toBe(true);
  });
});
