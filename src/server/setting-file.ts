import { readFileSync } from "node:fs";
import { configError } from "./config-values.ts";
import type { SettingName, SettingTexts } from "./settings.ts";

/** The text of the file that a setting names, and what to blame it under; `null` when it names none. */
export function readSettingFile(texts: SettingTexts, name: SettingName): [string, string] | null {
  const [path, label] = texts.labelled(name);
  if (path === "") return null;
  try {
    return [readFileSync(path, "utf8"), `${label} (${path})`];
  } catch (cause) {
    throw configError(label, `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}
