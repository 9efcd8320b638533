import { isList, isObject, textOf, Unknown, unknown } from "./plugin-values.js";

/** @typedef {import("./read-bindings.js").Block} Block */
/** @typedef {import("./plugin-values.js").Value} Value */

/**
 * What a plan says: what is given, and as unknown what the service will fill in and has not yet.
 * @param {Block} block
 * @param {Value} prior State before; `null`: none.
 * @param {Value} proposed State that Terraform proposes; `null`: to be removed.
 * @param {Value} config
 * @returns {Value}
 */
export function planned(block, prior, proposed, config) {
  if (!isObject(proposed)) return proposed;
  const given = isObject(config) ? config : {};
  const before = isObject(prior) ? prior : {};
  /** @type {{ [key: string]: Value }} */
  const plan = { ...proposed };
  for (const [name, [, mode]] of Object.entries(block.attributes)) {
    const filledIn = mode === "computed" || (mode === "optional computed" && (given[name] ?? null) === null);
    if (filledIn) plan[name] = before[name] ?? unknown;
  }
  for (const [name, { block: nested, nesting }] of Object.entries(block.blocks)) {
    const items = plan[name];
    const givenItems = given[name];
    if (nesting === "list" && isList(items)) {
      const beforeItems = before[name];
      plan[name] = items.map((item, at) => planned(nested, itemAt(beforeItems, at), item, itemAt(givenItems, at)));
    } else if (nesting === "set" && isList(items)) {
      // Items of a set have no place to compare; what they have computed is not known until applied.
      plan[name] = items.map((item) => planned(nested, null, item, item));
    }
  }
  return plan;
}

/**
 * What is there afterwards: what was planned, and made-up values for what was not known.
 * @param {string} type
 * @param {Block} block
 * @param {Value} plan
 * @returns {Value}
 */
export function applied(type, block, plan) {
  if (!isObject(plan)) return plan;
  /** @type {{ [key: string]: Value }} */
  const state = { ...plan };
  for (const [name, [valueType]] of Object.entries(block.attributes)) {
    if (state[name] instanceof Unknown)
      state[name] = likeTheService(`${type}.${name}`, plan) ?? madeUp(valueType, `${type}.${name}`);
  }
  for (const [name, { block: nested }] of Object.entries(block.blocks)) {
    const items = state[name];
    if (isList(items)) state[name] = items.map((item) => applied(type, nested, item));
  }
  return state;
}

/**
 * What modules take apart, or give to variables that look at it, has the form that the service gives it.
 * @param {string} name
 * @param {{ [key: string]: Value }} plan
 */
function likeTheService(name, plan) {
  const account = `${textOf(plan["account_id"])}@${textOf(plan["project"])}.iam.gserviceaccount.com`;
  switch (name) {
    case "google_service_account.email":
      return account;
    case "google_service_account.member":
      return `serviceAccount:${account}`;
    case "google_cloud_run_v2_service.uri":
      return `https://${textOf(plan["name"])}-0a1b2c3d4e-ew.a.run.app`;
    case "google_secret_manager_secret_version.version":
      return "1";
    default:
      return undefined;
  }
}

/** @param {import("./read-bindings.js").Type} type @param {string} name @returns {Value} */
function madeUp(type, name) {
  if (type === "string") return `made-up-${name}`;
  if (type === "number") return 1;
  if (type === "bool") return false;
  return type[0] === "map" ? {} : [];
}

/** @param {Value | undefined} list @param {number} at @returns {Value} */
function itemAt(list, at) {
  return isList(list) ? (list[at] ?? null) : null;
}
