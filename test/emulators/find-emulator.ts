import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { isProgram, pathFolders, programIn } from "../postgres/program-folders.ts";

/** An emulator of Google's that tests use. */
export type EmulatorKind = "bigtable" | "spanner";

interface Product {
  readonly program: string;
  /** Where it is below the root of the Google Cloud CLI. */
  readonly place: string;
  readonly variable: string;
  readonly component: string;
}

const products: Readonly<Record<EmulatorKind, Product>> = {
  bigtable: {
    program: "cbtemulator",
    place: "platform/bigtable-emulator",
    variable: "TAPE_TEST_BIGTABLE_EMULATOR",
    component: "bigtable",
  },
  spanner: {
    program: "emulator_main",
    place: "bin/cloud_spanner_emulator",
    variable: "TAPE_TEST_SPANNER_EMULATOR",
    component: "cloud-spanner-emulator",
  },
};

/** Where packages and installers put the Google Cloud CLI. */
const usualRoots: readonly string[] = [
  "/usr/lib/google-cloud-sdk",
  "/usr/share/google-cloud-sdk",
  "/usr/local/google-cloud-sdk",
  "/opt/google-cloud-sdk",
  "/opt/google-cloud-cli",
  "/snap/google-cloud-cli/current",
  "/snap/google-cloud-sdk/current",
  "/opt/homebrew/share/google-cloud-sdk",
  "/usr/local/share/google-cloud-sdk",
  "/opt/homebrew/Caskroom/google-cloud-sdk/latest/google-cloud-sdk",
  join(homedir(), "google-cloud-sdk"),
];

/** The program of the emulator; `undefined`: there is none on this machine. A variable names the only one to be used. */
export function findEmulator(kind: EmulatorKind): string | undefined {
  const { program, place, variable } = products[kind];
  const named = process.env[variable];
  if (named !== undefined && named !== "") return isProgram(named) ? named : undefined;
  return programIn([...pathFolders(), ...roots().map((root) => join(root, place))], program);
}

/** What to do where none is found. */
export const emulatorMissing = (kind: EmulatorKind): string =>
  `no ${kind} emulator found: \`gcloud components install ${products[kind].component}\`, ` +
  `or name the program ${products[kind].program} in ${products[kind].variable}`;

/** The CLI that is on the path first. */
function roots(): readonly string[] {
  const gcloud = programIn(pathFolders(), "gcloud");
  return gcloud === undefined ? usualRoots : [dirname(dirname(realpathSync(gcloud))), ...usualRoots];
}
