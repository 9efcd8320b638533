// What Terraform would say about names inside a module and between modules: variables, locals, outputs, resources; and that
// everything which others use says what it is.
import { join, normalize } from "node:path";
import { blocksOf, isBody, lineOf } from "./configuration.js";

/** @typedef {import("./configuration.js").Module} Module */
/** @typedef {import("./configuration.js").Problem} Problem */
/** @typedef {import("./configuration.js").SourceFile} SourceFile */
/** @typedef {import("./check-schema.js").Schema} Schema */

const callArguments = new Set(["source", "version", "providers", "count", "for_each", "depends_on"]);

/**
 * @param {readonly Module[]} modules
 * @param {Schema} schema
 * @returns {readonly Problem[]}
 */
export function checkReferences(modules, schema) {
  return modules.flatMap((module) => [
    ...checkDeclarations(module),
    ...checkCalls(module, modules),
    ...checkExpressions(module, modules, schema),
  ]);
}

/** @param {Module} module @returns {Problem[]} */
function checkDeclarations(module) {
  /** @type {Problem[]} */
  const problems = [];
  for (const [kind, wanted] of /** @type {const} */ ([
    ["variable", ["description", "type"]],
    ["output", ["description", "value"]],
  ])) {
    for (const { labels, body, file } of blocksOf(module, kind, 1)) {
      const missing = wanted.filter((key) => body[key] === undefined);
      const line = lineOf(file, [new RegExp(`^${kind} "${labels[0]}"`)]);
      for (const key of missing) problems.push({ file: file.path, line, text: `${kind} ${labels[0]} has no ${key}` });
    }
  }
  return problems;
}

/** @param {Module} module @param {readonly Module[]} modules @returns {Problem[]} */
function checkCalls(module, modules) {
  return blocksOf(module, "module", 1).flatMap(({ labels, body, file }) => {
    const line = lineOf(file, [new RegExp(`^module "${labels[0]}"`)]);
    const called = calledModule(module, body["source"], modules);
    if (called === undefined) {
      return [{ file: file.path, line, text: `module ${labels[0]}: there is no module ${String(body["source"])}` }];
    }
    const variables = new Map(blocksOf(called, "variable", 1).map((variable) => [variable.labels[0], variable.body]));
    const unknown = Object.keys(body).filter((key) => !callArguments.has(key) && !variables.has(key));
    const missing = [...variables].filter(([name, variable]) => !("default" in variable) && !(String(name) in body));
    return [
      ...unknown.map((key) => ({
        file: file.path,
        line: lineOf(file, [new RegExp(`^module "${labels[0]}"`), new RegExp(`^\\s*${key}\\s*=`)]),
        text: `module ${labels[0]}: ${called.folder} has no variable ${key}`,
      })),
      ...missing.map(([name]) => ({
        file: file.path,
        line,
        text: `module ${labels[0]}: variable ${name} is required and missing`,
      })),
    ];
  });
}

/**
 * @param {Module} module
 * @param {readonly Module[]} modules
 * @param {Schema} schema
 * @returns {Problem[]}
 */
function checkExpressions(module, modules, schema) {
  const names = (/** @type {string} */ kind, /** @type {number} */ labels) =>
    new Set(blocksOf(module, kind, labels).map((block) => block.labels.join(".")));
  const variables = names("variable", 1);
  const resources = names("resource", 2);
  const locals = new Set(module.files.flatMap(({ body }) => localNames(body["locals"])));
  const calls = new Map(blocksOf(module, "module", 1).map(({ labels, body }) => [labels[0], body["source"]]));
  /** @type {Set<string>} */
  const used = new Set();

  const faultOf = (
    /** @type {string} */ first,
    /** @type {string} */ second,
    /** @type {string | undefined} */ third,
  ) => {
    if (first === "var") {
      used.add(second);
      return variables.has(second) ? null : `there is no variable ${second}`;
    }
    if (first === "local") return locals.has(second) ? null : `there is no local ${second}`;
    if (first === "module") {
      if (!calls.has(second)) return `there is no module ${second}`;
      const called = calledModule(module, calls.get(second), modules);
      const outputs = new Set(called === undefined ? [] : blocksOf(called, "output", 1).map(({ labels }) => labels[0]));
      return third === undefined || outputs.has(third) ? null : `module ${second} has no output ${third}`;
    }
    if (!resources.has(`${first}.${second}`)) return `there is no resource ${first}.${second}`;
    const block = schema.resources[first];
    const known = block === undefined || third === undefined || third in block.attributes || third in block.blocks;
    return known ? null : `${first} has no attribute ${third}`;
  };

  const problems = module.files.flatMap((file) =>
    expressionsIn(file.body).flatMap((expression) =>
      [...expression.matchAll(reference)].flatMap(([text, first = "", second = "", third]) => {
        const fault = faultOf(first, second, third);
        return fault === null ? [] : [{ file: file.path, line: lineWith(file, text), text: fault }];
      }),
    ),
  );
  const unused = blocksOf(module, "variable", 1).filter(({ labels }) => !used.has(labels[0] ?? ""));
  return [
    ...problems,
    ...unused.map(({ labels, file }) => ({
      file: file.path,
      line: lineOf(file, [new RegExp(`^variable "${labels[0]}"`)]),
      text: `variable ${labels[0]} is never used`,
    })),
  ];
}

// var.name, local.name, module.name.output, type.name.attribute; what stands in brackets between them is skipped.
const reference = /(?<![\w.])(var|local|module|google_\w+)\.(\w+)(?:\[[^\]]*\])*(?:\.(\w+))?/g;

/** @param {unknown} value @returns {string[]} */
function expressionsIn(value) {
  if (typeof value === "string") return value.includes("${") ? [value] : [];
  if (Array.isArray(value)) return value.flatMap(expressionsIn);
  return isBody(value) ? Object.values(value).flatMap(expressionsIn) : [];
}

/** @param {unknown} value @returns {string[]} */
function localNames(value) {
  return Array.isArray(value) ? value.flatMap((body) => Object.keys(/** @type {object} */ (body))) : [];
}

/** @param {Module} module @param {unknown} source @param {readonly Module[]} modules */
function calledModule(module, source, modules) {
  const folder = normalize(join(module.folder, String(source)));
  return modules.find((other) => other.folder === folder);
}

/** @param {SourceFile} file @param {string} text */
function lineWith({ lines }, text) {
  return Math.max(1, lines.findIndex((line) => line.includes(text)) + 1);
}
