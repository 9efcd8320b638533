// Terraform, or OpenTofu, without a network: with the stand-in as the only provider, in a copy of the configurations, so that
// nothing is left beside the originals.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StandIn } from "./stand-in-provider.js";

/** What a command said.
 * @typedef {{ status: number | null, output: string }} Outcome */

/**
 * The program to use: the one that TAPE_TERRAFORM names, else `terraform`, else `tofu`; `null`: none is on this machine.
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {string | null}
 */
export function findTerraform(environment) {
  const named = environment["TAPE_TERRAFORM"];
  const programs = named === undefined || named === "" ? ["terraform", "tofu"] : [named];
  return programs.find((program) => spawnSync(program, ["version"], { stdio: "ignore" }).status === 0) ?? null;
}

/** A copy of a folder of configurations to run commands in. */
export class OfflineTerraform {
  /** Root of the copy. */
  root;
  #program;
  #folder;
  #standIn;

  /**
   * @param {string} program From {@link findTerraform}.
   * @param {string} source Folder to copy; modules refer to each other inside of it.
   */
  static async open(program, source) {
    return new OfflineTerraform(program, source, await StandIn.start());
  }

  /** @param {string} program @param {string} source @param {StandIn} standIn */
  constructor(program, source, standIn) {
    this.#program = program;
    this.#standIn = standIn;
    this.#folder = mkdtempSync(join(tmpdir(), "tape-terraform-"));
    this.root = join(this.#folder, "configuration");
    cpSync(source, this.root, { recursive: true, filter: (path) => !path.includes("/.terraform") });
    // Whatever else a configuration asks for is not looked for on the network.
    writeFileSync(
      join(this.#folder, "cli.tfrc"),
      `disable_checkpoint = true\nprovider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(this.#folder)}\n  }\n}\n`,
    );
  }

  /**
   * Runs a command in a folder of the copy.
   * @param {string} folder Relative to {@link root}.
   * @param {readonly string[]} args
   * @returns {Promise<Outcome>}
   */
  run(folder, args) {
    const child = spawn(this.#program, args, {
      cwd: join(this.root, folder),
      env: {
        PATH: process.env["PATH"],
        HOME: this.#folder,
        TMPDIR: this.#folder,
        TF_CLI_CONFIG_FILE: join(this.#folder, "cli.tfrc"),
        TF_REATTACH_PROVIDERS: this.#standIn.reattach,
        TF_IN_AUTOMATION: "1",
        CHECKPOINT_DISABLE: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => resolve({ status, output }));
    });
  }

  /** Removes everything. */
  close() {
    this.#standIn.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
