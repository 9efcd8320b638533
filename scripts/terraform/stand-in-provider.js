// Stands in for the google provider where Terraform is to check modules without a network and without an account: it
// knows the schema of each resource type (google-schema.json) and nothing of Google Cloud. Terraform itself refuses what
// does not fit the schema; the stand-in only plans (what is computed is not known yet) and applies (with made-up values).
// It speaks the plugin protocol, version 5, on a loopback port of this process, and Terraform is told to use that one: so
// one stand-in serves every run, where a provider from a mirror of plugins would be started several times for each.
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { applied, planned } from "./planned-values.js";
import { fromWire, toWire } from "./plugin-values.js";

/** @typedef {import("./read-bindings.js").Block} Block */

const schema =
  /** @type {{ provider: { name: string }, configuration: Block, resources: Record<string, Block>, dataSources: Record<string, Block> }} */ (
    JSON.parse(readFileSync(join(import.meta.dirname, "google-schema.json"), "utf8"))
  );
const definition = loadSync(join(import.meta.dirname, "tfplugin5.proto"), {
  keepCase: true,
  enums: String,
  defaults: true,
});
const { tfplugin5 } = /** @type {{ tfplugin5: { Provider: import("@grpc/grpc-js").ServiceClientConstructor } }} */ (
  /** @type {unknown} */ (loadPackageDefinition(definition))
);

/** A request: all of them have these names for these things.
 * @typedef {{ type_name: string, config: Wire, prior_state: Wire, proposed_new_state: Wire, planned_state: Wire,
 *   current_state: Wire, raw_state: { json: Buffer } }} Request
 * @typedef {{ msgpack: Buffer, json: Buffer } | null} Wire */

/**
 * @param {(request: Request) => object} answer
 * @returns {import("@grpc/grpc-js").handleUnaryCall<Request, object>}
 */
function unary(answer) {
  return (call, callback) => {
    try {
      callback(null, answer(call.request));
    } catch (error) {
      callback(/** @type {Error} */ (error));
    }
  };
}

const answers = {
  GetSchema: unary(() => ({
    provider: wireSchema(schema.configuration),
    resource_schemas: Object.fromEntries(
      Object.entries(schema.resources).map(([type, block]) => [type, wireSchema(block)]),
    ),
    data_source_schemas: Object.fromEntries(
      Object.entries(schema.dataSources).map(([type, block]) => [type, wireSchema(block)]),
    ),
  })),
  PrepareProviderConfig: unary(({ config }) => ({ prepared_config: config })),
  ValidateResourceTypeConfig: unary(() => ({})),
  ValidateDataSourceConfig: unary(() => ({})),
  UpgradeResourceState: unary(({ raw_state }) => ({ upgraded_state: { json: raw_state.json } })),
  Configure: unary(() => ({})),
  ReadResource: unary(({ current_state }) => ({ new_state: current_state })),
  PlanResourceChange: unary(({ type_name, prior_state, proposed_new_state, config }) => ({
    planned_state: toWire(
      planned(blockOf(type_name), fromWire(prior_state), fromWire(proposed_new_state), fromWire(config)),
    ),
    // As the real one, whose plans may fill in what is left out.
    legacy_type_system: true,
  })),
  ApplyResourceChange: unary(({ type_name, planned_state }) => ({
    new_state: toWire(applied(type_name, blockOf(type_name), fromWire(planned_state))),
    legacy_type_system: true,
  })),
  ReadDataSource: unary(({ type_name, config }) => {
    const block = schema.dataSources[type_name];
    if (block === undefined) throw new Error(`no data source ${type_name} in google-schema.json`);
    return { state: toWire(applied(type_name, block, planned(block, null, fromWire(config), fromWire(config)))) };
  }),
  Stop: unary(() => ({})),
};

/** A stand-in that runs. */
export class StandIn {
  /** What TF_REATTACH_PROVIDERS has to say for Terraform, and OpenTofu, to use it. */
  reattach;
  #server;

  /** Starts one, on a free port. @returns {Promise<StandIn>} */
  static start() {
    const server = new Server();
    server.addService(tfplugin5.Provider.service, answers);
    return new Promise((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(new StandIn(server, port));
        else reject(error);
      });
    });
  }

  /** @param {Server} server @param {number} port */
  constructor(server, port) {
    this.#server = server;
    const address = { Network: "tcp", String: `127.0.0.1:${port}` };
    // `Test`: it is not Terraform's to end.
    const plugin = { Protocol: "grpc", ProtocolVersion: 5, Pid: process.pid, Test: true, Addr: address };
    this.reattach = JSON.stringify({ [schema.provider.name]: plugin });
  }

  /** Ends it. */
  close() {
    this.#server.forceShutdown();
  }
}

/** @param {string} type */
function blockOf(type) {
  const block = schema.resources[type];
  if (block === undefined) throw new Error(`no resource ${type} in google-schema.json`);
  return block;
}

/** @param {Block} block */
function wireSchema(block) {
  return { version: 0, block: wireBlock(block) };
}

/** @param {Block} block @returns {object} */
function wireBlock({ attributes, blocks }) {
  return {
    attributes: Object.entries(attributes).map(([name, [type, mode]]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required: mode === "required",
      optional: mode.startsWith("optional"),
      computed: mode.endsWith("computed"),
    })),
    block_types: Object.entries(blocks).map(([name, { nesting, min, max, block: nested }]) => ({
      type_name: name,
      nesting: nesting.toUpperCase(),
      // A block that stands there once is no list for the protocol, so it has no least and most.
      ...(nesting === "single" ? {} : { min_items: min, max_items: max }),
      block: wireBlock(nested),
    })),
  };
}
