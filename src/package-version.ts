import { existsSync, readFileSync } from "node:fs";

/** The version of this package. */
export function packageVersion(): string {
  // `dist` and `src` are equally deep; the programs in `bench` are compiled into a folder one deeper.
  const [near, far] = ["../package.json", "../../package.json"].map((path) => new URL(path, import.meta.url));
  const manifest = near !== undefined && existsSync(near) ? near : far;
  if (manifest === undefined) return "";
  return (JSON.parse(readFileSync(manifest, "utf8")) as { readonly version: string }).version;
}
