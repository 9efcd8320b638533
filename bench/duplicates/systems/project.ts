import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const manifestFile = createRequire(import.meta.url).resolve("tape-journal/package.json");

/** The folder of the project, whether this file runs as it is or compiled. */
export const projectFolder: string = dirname(manifestFile);

/** Tape's version. */
export const tapeVersion: string = (createRequire(import.meta.url)(manifestFile) as { version: string }).version;

/** A module of this benchmark after compilation: agents are processes of their own, which run JavaScript. */
export const compiled = (module: string): string => join(projectFolder, "build/bench/duplicates", module);
