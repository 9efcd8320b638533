// Compares every resource and data source with the provider's schema: names of arguments and blocks, what is required, and
// the types of what is written out. Expressions are left to Terraform, which knows what they give.
import { blocksOf, bodies, isBody, lineOf } from "./configuration.js";

/** @typedef {import("./configuration.js").Body} Body */
/** @typedef {import("./configuration.js").Module} Module */
/** @typedef {import("./configuration.js").Problem} Problem */
/** @typedef {import("./configuration.js").SourceFile} SourceFile */
/** @typedef {import("./read-bindings.js").Block} Block */
/** @typedef {import("./read-bindings.js").Type} Type */
/** @typedef {{ resources: Record<string, Block>, dataSources: Record<string, Block> }} Schema */

/** Where a body stands, for messages.
 * @typedef {{ file: SourceFile, name: string, steps: readonly RegExp[], problems: Problem[] }} Place */

// Arguments of the language, which every resource takes.
const metaArguments = new Set([
  "count",
  "for_each",
  "depends_on",
  "lifecycle",
  "provider",
  "provisioner",
  "connection",
]);
// Terraform's own, without a provider.
const builtIn = new Set(["terraform_data"]);

/**
 * @param {readonly Module[]} modules
 * @param {Schema} schema
 * @returns {readonly Problem[]}
 */
export function checkSchema(modules, schema) {
  /** @type {Problem[]} */
  const problems = [];
  for (const module of modules) {
    for (const [kind, types] of /** @type {const} */ ([
      ["resource", schema.resources],
      ["data", schema.dataSources],
    ])) {
      for (const { labels, body, file } of blocksOf(module, kind, 2)) {
        const [type = "", name = ""] = labels;
        if (builtIn.has(type)) continue;
        const place = { file, name: `${type}.${name}`, steps: [header(kind, type, name)], problems };
        const block = types[type];
        if (block === undefined) complain(place, `unknown ${kind} type ${type}${nearest(type, Object.keys(types))}`);
        else checkBody(body, block, place, metaArguments);
      }
    }
  }
  return problems;
}

/**
 * @param {Body} body
 * @param {Block} block
 * @param {Place} place
 * @param {ReadonlySet<string>} alsoTaken
 */
function checkBody(body, block, place, alsoTaken = new Set()) {
  const dynamic = isBody(body["dynamic"]) ? body["dynamic"] : {};
  for (const [key, value] of Object.entries(body)) {
    const attribute = block.attributes[key];
    const nested = block.blocks[key];
    const at = { ...place, steps: [...place.steps, new RegExp(`^\\s*${key}\\b\\s*[={]`)] };
    if (attribute !== undefined) {
      const [type, mode] = attribute;
      if (mode === "computed") complain(at, `argument ${key} cannot be given: the provider computes it`);
      else if (!fits(value, type)) complain(at, `argument ${key} is no ${typeName(type)}: ${JSON.stringify(value)}`);
    } else if (nested !== undefined) {
      checkBlocks(key, value, nested, at);
    } else if (key !== "dynamic" && !alsoTaken.has(key)) {
      complain(at, `unknown ${Array.isArray(value) ? "block" : "argument"} ${key}${nearest(key, namesIn(block))}`);
    }
  }
  for (const [key, value] of Object.entries(dynamic)) {
    const at = { ...place, steps: [...place.steps, new RegExp(`^\\s*dynamic\\s+"${key}"`)] };
    const nested = block.blocks[key];
    if (nested === undefined) complain(at, `unknown block ${key}${nearest(key, namesIn(block))}`);
    else for (const { content } of bodies(value)) checkBlocks(key, content, { ...nested, max: 0 }, at);
  }
  checkRequired(body, dynamic, block, place);
}

/**
 * @param {string} key
 * @param {unknown} value
 * @param {import("./read-bindings.js").NestedBlock} nested
 * @param {Place} place
 */
function checkBlocks(key, value, { block, max }, place) {
  if (!Array.isArray(value)) return complain(place, `${key} is a block: write it without =`);
  if (max > 0 && value.length > max) complain(place, `block ${key} may stand there ${max} times, not ${value.length}`);
  for (const body of bodies(value)) checkBody(body, block, place);
}

/**
 * @param {Body} body
 * @param {Body} dynamic
 * @param {Block} block
 * @param {Place} place
 */
function checkRequired(body, dynamic, block, place) {
  for (const [key, [, mode]] of Object.entries(block.attributes)) {
    if (mode === "required" && body[key] === undefined) complain(place, `argument ${key} is required and missing`);
  }
  for (const [key, { min }] of Object.entries(block.blocks)) {
    if (min > 0 && body[key] === undefined && dynamic[key] === undefined) {
      complain(place, `block ${key} is required and missing`);
    }
  }
}

/** Whether a value that is written out can be had as a type, as Terraform converts it.
 * @param {unknown} value
 * @param {Type} type
 * @returns {boolean} */
function fits(value, type) {
  if (value === null || (typeof value === "string" && value.includes("${"))) return true;
  if (type === "string") return ["string", "number", "boolean"].includes(typeof value);
  if (type === "number")
    return typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value));
  if (typeof type === "string") return typeof value === "boolean" || value === "true" || value === "false";
  if (type[0] === "object") return isBody(value);
  const [collection, element] = type;
  if (collection === "map") return isBody(value) && Object.values(value).every((item) => fits(item, element));
  return Array.isArray(value) && value.every((item) => fits(item, element));
}

/** @param {Type} type @returns {string} */
function typeName(type) {
  if (typeof type === "string") return type;
  return type[0] === "object" ? "object" : `${type[0]} of ${typeName(type[1])}`;
}

/** @param {Block} block */
function namesIn({ attributes, blocks }) {
  return [...Object.keys(attributes), ...Object.keys(blocks)];
}

/** @param {string} kind @param {string} type @param {string} name */
function header(kind, type, name) {
  return new RegExp(`^\\s*${kind}\\s+"${type}"\\s+"${name}"`);
}

/** @param {Place} place @param {string} text */
function complain({ file, name, steps, problems }, text) {
  problems.push({ file: file.path, line: lineOf(file, steps), text: `${name}: ${text}` });
}

/** @param {string} word @param {readonly string[]} known */
function nearest(word, known) {
  const best = known
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .toSorted((left, right) => left.distance - right.distance)[0];
  return best !== undefined && best.distance <= Math.max(2, word.length / 3) ? `; did you mean ${best.name}?` : "";
}

/** @param {string} left @param {string} right */
function editDistance(left, right) {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [index, letter] of Array.from(left).entries()) {
    const next = [index + 1];
    for (const [at, other] of Array.from(right).entries()) {
      next.push(Math.min((next[at] ?? 0) + 1, (row[at + 1] ?? 0) + 1, (row[at] ?? 0) + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
