// Reads one generated binding (a class for the type and one for each nested block) back into the schema it was made from.

/** A type as the plugin protocol writes it: `"string"`, `["list", "string"]`, `["list", ["object", { ... }]]`.
 * @typedef {string | ["list" | "set" | "map", Type] | ["object", Record<string, Type>]} Type */

/** Type and how it is given.
 * @typedef {[Type, "required" | "optional" | "computed" | "optional computed"]} Attribute */

/** How often a nested block may stand there: list or set, least and most (0: any number).
 * @typedef {{ nesting: "list" | "set" | "single", min: number, max: number, block: Block }} NestedBlock */

/** What a resource, data source or nested block takes.
 * @typedef {{ attributes: Record<string, Attribute>, blocks: Record<string, NestedBlock> }} Block */

// The provider fills these in by itself where they are left out; the bindings do not say so.
const filledIn = new Set(["id", "project", "region", "zone", "location"]);

const simpleTypes = /** @type {Record<string, Type>} */ ({
  string: "string",
  number: "number",
  boolean: "bool",
  stringList: ["list", "string"],
  numberList: ["list", "number"],
  stringMap: ["map", "string"],
});

const getterTypes = /** @type {Record<string, Type>} */ ({
  String: "string",
  Number: "number",
  Boolean: "bool",
  List: ["list", "string"],
  NumberList: ["list", "number"],
  StringMap: ["map", "string"],
  BooleanMap: ["map", "bool"],
});

/**
 * The schema of a type.
 * @param {string} code Text of index.js.
 * @param {string} declarations Text of index.d.ts.
 * @returns {Block}
 */
export function readBindings(code, declarations) {
  const classes = new Map(
    [...code.matchAll(/^class (\w+) extends cdktf\.(\w+) \{\n([\s\S]*?)^\}/gm)].map(
      ([, name = "", base, body = ""]) => [name, { base, body }],
    ),
  );
  const converters = new Map(
    [...code.matchAll(/^function (\w+)ToHclTerraform\(struct\) \{\n([\s\S]*?)^\}/gm)].map(
      ([, name = "", body = ""]) => [name.toLowerCase(), body],
    ),
  );
  const interfaces = new Map(
    [...declarations.matchAll(/^export interface (\w+)[^{]*\{\n([\s\S]*?)^\}/gm)].map(([, name = "", body = ""]) => [
      name,
      body,
    ]),
  );
  const main = [...classes].find(
    ([, { base }]) => base === "TerraformResource" || base === "TerraformDataSource" || base === "TerraformProvider",
  );
  if (main === undefined) throw new Error("no class of a resource, data source or provider");
  const [name, { body }] = main;
  return readBlock(`${name}Config`, body, body);

  /**
   * @param {string} declared Name of the interface of what is given.
   * @param {string} getters Body of the class that reads.
   * @param {string} table Text with the table of arguments.
   * @returns {Block}
   */
  function readBlock(declared, getters, table) {
    /** @type {Block} */
    const block = { attributes: {}, blocks: {} };
    const given = declaredArguments(interfaces.get(declared) ?? "");
    const rows =
      /(\w+): \{\n\s+value: [^\n]*\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)",/g;
    for (const [, argument = "", isBlock, nesting = "", stored = ""] of table.matchAll(rows)) {
      const found = given.get(argument);
      if (found === undefined) throw new Error(`${declared}: nothing is declared for ${argument}`);
      const type = simpleTypes[stored];
      if (isBlock === "false" && type !== undefined) {
        const computed = filledIn.has(argument) ? "optional computed" : "optional";
        block.attributes[argument] = [nesting === "set" ? asSet(type) : type, found.required ? "required" : computed];
      } else {
        block.blocks[argument] = nestedBlock(argument, nesting, stored, found);
      }
    }
    for (const [argument, type] of computedAttributes(getters)) {
      if (!(argument in block.blocks)) block.attributes[argument] ??= [type, "computed"];
    }
    return block;
  }

  /**
   * @param {string} argument
   * @param {string} nesting
   * @param {string} stored
   * @param {{ required: boolean, many: boolean }} found
   * @returns {NestedBlock}
   */
  function nestedBlock(argument, nesting, stored, { required, many }) {
    const item = stored.replace(/List$/, "");
    const table = converters.get(item.toLowerCase());
    if (table === undefined) throw new Error(`${argument}: no converter of ${item}`);
    // The blocks of a provider are never read, so they have no reader.
    const reader = classes.get(`${item}OutputReference`)?.body ?? "";
    return {
      nesting: argument === "timeouts" ? "single" : nesting === "set" ? "set" : "list",
      min: required ? 1 : 0,
      max: many ? 0 : 1,
      block: readBlock(item, reader, table),
    };
  }

  /**
   * @param {string} getters
   * @returns {[string, Type][]}
   */
  function computedAttributes(getters) {
    /** @type {[string, Type][]} */
    const found = [];
    for (const [, argument = ""] of getters.matchAll(
      /\/\/ (\w+) - computed: true, optional: false, required: false/g,
    )) {
      const simple = new RegExp(`get(\\w+)Attribute\\('${argument}'\\)`).exec(getters)?.[1];
      const nested = new RegExp(`= new (\\w+)(List|Map)\\(this, "${argument}"`).exec(getters);
      const type = simple === undefined ? undefined : getterTypes[simple];
      if (type !== undefined) {
        found.push([argument, type]);
      } else if (nested !== null) {
        const reader = classes.get(`${nested[1]}OutputReference`);
        if (reader === undefined) throw new Error(`${argument}: no class ${nested[1]}`);
        found.push([argument, ["list", ["object", Object.fromEntries(computedAttributes(reader.body))]]]);
      }
    }
    return found;
  }
}

/** @param {Type} type @returns {Type} */
function asSet(type) {
  return Array.isArray(type) && type[0] === "list" ? ["set", type[1]] : type;
}

/**
 * The arguments of an interface by the name that Terraform gives them, which only the comments have.
 * @param {string} text
 * @returns {Map<string, { required: boolean, many: boolean }>}
 */
function declaredArguments(text) {
  const declared = /#(\w+) [\w#]+\}[\s\S]*?\*\/\n\s+readonly \w+(\??): ([^;{]*)/g;
  return new Map(
    [...text.matchAll(declared)].map(([, name = "", optional, type = ""]) => [
      name,
      { required: optional === "", many: type.includes("[]") },
    ]),
  );
}
