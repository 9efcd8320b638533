import type { Target } from "./target.ts";
import { background } from "./targets/background.ts";
import { cel } from "./targets/cel.ts";
import { columns } from "./targets/columns.ts";
import { decoder } from "./targets/decoder.ts";
import { json } from "./targets/json.ts";
import { keys } from "./targets/keys.ts";
import { stored } from "./targets/stored.ts";
import { subjects } from "./targets/subjects.ts";
import { urls } from "./targets/urls.ts";
import { wire } from "./targets/wire.ts";

/** All targets, in the order in which they are tried. */
export const targets = [
  decoder,
  keys,
  subjects,
  urls,
  cel,
  json,
  stored,
  columns,
  background,
  wire,
] as readonly Target[];
