// Reads Terraform configurations without Terraform: HashiCorp's own parser of the language, compiled to WebAssembly.
import { parse } from "@cdktf/hcl2json";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** Arguments and blocks by name: a block is a list of bodies, an expression is text with `${...}`.
 * @typedef {{ [key: string]: unknown }} Body */

/** One fault.
 * @typedef {{ file: string, line: number, text: string }} Problem */

/** A file of a module.
 * @typedef {{ path: string, lines: readonly string[], body: Body }} SourceFile */

/** A folder of files: a module, or an example, which is a module too.
 * @typedef {{ folder: string, files: readonly SourceFile[] }} Module */

/**
 * All modules below a folder, and what cannot be parsed.
 * @param {string} root
 * @returns {Promise<{ modules: readonly Module[], problems: readonly Problem[] }>}
 */
export async function readModules(root) {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => !path.includes(".terraform"));
  /** @type {Map<string, SourceFile[]>} */
  const byFolder = new Map();
  /** @type {Problem[]} */
  const problems = [];
  for (const path of paths.filter((name) => /\.(tf|tftest\.hcl)$/.test(name)).toSorted()) {
    const text = readFileSync(join(root, path), "utf8");
    try {
      const body = /** @type {Body} */ (await parse(path, text));
      // Tests are no part of their module; that they can be parsed is all that is looked at.
      if (!path.endsWith(".tf")) continue;
      const folder = relative(".", join(path, ".."));
      byFolder.set(folder, [...(byFolder.get(folder) ?? []), { path, lines: text.split("\n"), body }]);
    } catch (error) {
      const [, line = "1"] = /:(\d+),/.exec(String(error)) ?? [];
      problems.push({ file: path, line: Number(line), text: String(error).replace(/^Error: /, "") });
    }
  }
  return { modules: [...byFolder].map(([folder, files]) => ({ folder, files })), problems };
}

/**
 * All blocks of a kind in a module, such as `resource`, with their labels.
 * @param {Module} module
 * @param {string} kind
 * @param {number} labels How many labels a block of the kind has.
 * @returns {{ labels: readonly string[], body: Body, file: SourceFile }[]}
 */
export function blocksOf(module, kind, labels) {
  return module.files.flatMap((file) => unfold(file.body[kind], labels).map((block) => ({ ...block, file })));
}

/**
 * @param {unknown} value
 * @param {number} depth
 * @returns {{ labels: readonly string[], body: Body }[]}
 */
function unfold(value, depth) {
  if (depth === 0) return bodies(value).map((body) => ({ labels: [], body }));
  return Object.entries(isBody(value) ? value : {}).flatMap(([label, inner]) =>
    unfold(inner, depth - 1).map(({ labels, body }) => ({ labels: [label, ...labels], body })),
  );
}

/** The bodies of a block that may be repeated. @param {unknown} value @returns {Body[]} */
export function bodies(value) {
  return Array.isArray(value) ? value.filter(isBody) : [];
}

/** @param {unknown} value @returns {value is Body} */
export function isBody(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Where something is written: the number of the line, from 1, that opens the last of these, each inside the one before.
 * @param {SourceFile} file
 * @param {readonly RegExp[]} steps
 */
export function lineOf({ lines }, steps) {
  let at = 0;
  let end = lines.length;
  let found = 1;
  for (const step of steps) {
    const line = lines.findIndex((text, index) => index >= at && index < end && step.test(text));
    if (line < 0) return found;
    found = line + 1;
    end = endOfBlock(lines, line);
    at = line + 1;
  }
  return found;
}

/** @param {readonly string[]} lines @param {number} start */
function endOfBlock(lines, start) {
  let depth = 0;
  for (let index = start; index < lines.length; index++) {
    const text = (lines[index] ?? "").replace(/"(?:[^"\\]|\\.)*"/g, "").replace(/(#|\/\/).*/, "");
    depth += text.split("{").length - text.split("}").length;
    if (depth <= 0) return index + 1;
  }
  return lines.length;
}
