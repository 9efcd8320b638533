import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { chart, findHelm, renderChart } from "./helm.ts";

const root = join(import.meta.dirname, "../..");
const pages = ["docs/deploy/container.md", "docs/deploy/gke.md", "docs/upgrade.md", "docs/backup.md"];
const textOf = (page: string): string => readFileSync(join(root, page), "utf8");

/** Blocks of code of one language. */
const blocks = (text: string, language: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, block = ""]) => block);

describe.each(pages)("%s", (page) => {
  const text = textOf(page);

  it("names tests and files that there are", () => {
    const named = [...text.matchAll(/`((?:test|src|deploy)\/[\w./-]+)`/g)].map(([, path = ""]) => path);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("links to pages and headings that there are", () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)(?:#([\w-]+))?\)/g)];
    const broken = links.filter(([, path = "", heading]) => {
      const file = join(root, dirname(page), path);
      if (!existsSync(file)) return true;
      const anchors = [...readFileSync(file, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w -]/g, "")
          .replaceAll(" ", "-"),
      );
      return heading !== undefined && !anchors.includes(heading);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });
});

describe("docs/deploy/gke.md", () => {
  it("shows values that the chart takes, and objects that are YAML", async ({ skip }) => {
    const missing = await findHelm().then(
      () => "",
      (error: unknown) => String(error),
    );
    skip(missing !== "" && process.env["CI"] !== "true", missing);
    for (const block of blocks(textOf("docs/deploy/gke.md"), "yaml")) {
      const documents = parseAllDocuments(block);
      expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
      const [first] = documents.map((document) => document.toJS() as { readonly apiVersion?: string; store?: object });
      if (first?.apiVersion !== undefined) continue;
      const base = first?.store === undefined ? "bigtable" : "postgres";
      const own = first?.store === undefined ? first : { ...first, store: { secretName: "", ...first.store } };
      const { complaints } = await renderChart([join(chart, "examples", `${base}.yaml`)], own);
      expect(complaints).toBe("");
    }
  });
});

describe("docs/backup.md", () => {
  it.each([
    ["test/backup/sqlite-backup.test.ts", /update tape_meta set value = value \+ \d+ where name = 'feed'/],
    ["test/postgres/physical-restore.test.ts", /update tape_meta set value = 'restored' where name = 'feed_home'/],
  ])("has the statement that %s runs", (test, statement) => {
    const [ran] = statement.exec(textOf(test)) ?? [];
    expect(textOf("docs/backup.md")).toContain(ran);
  });
});
