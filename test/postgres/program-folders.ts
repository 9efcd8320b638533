import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where packagers put PostgreSQL; a `*` stands within one name. */
const usualPlaces: readonly string[] = [
  "/usr/lib/postgresql/*/bin",
  "/usr/pgsql-*/bin",
  "/usr/local/pgsql/bin",
  "/opt/homebrew/opt/postgresql@*/bin",
  "/usr/local/opt/postgresql@*/bin",
  "/Applications/Postgres.app/Contents/Versions/*/bin",
];

/** The folders where a server may be: the usual places that exist, then those of PATH. */
export function programFolders(): readonly string[] {
  return [...usualPlaces.flatMap(expanded), ...pathFolders()];
}

/** The folders of PATH, and `/usr/sbin`, which is not on everybody's. */
export function pathFolders(): readonly string[] {
  return [...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""), "/usr/sbin"];
}

/** The first of these folders' programs of that name. */
export function programIn(folders: readonly string[], name: string): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function expanded(place: string): readonly string[] {
  if (!place.includes("*")) return [place];
  // One star, in one segment.
  const cut = place.lastIndexOf("/", place.indexOf("*"));
  const [pattern = "", ...rest] = place.slice(cut + 1).split("/");
  const [before = "", after = ""] = pattern.split("*");
  const folder = place.slice(0, cut);
  const names = entriesOf(folder).filter((name) => name.startsWith(before) && name.endsWith(after));
  return names.map((name) => join(folder, name, ...rest));
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
