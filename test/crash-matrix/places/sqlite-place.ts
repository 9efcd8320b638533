import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Place } from "./place.ts";

/** A SQLite file: one of our own in a temporary folder, or the one that is named. */
export async function sqlitePlace(storeUrl?: string): Promise<Place> {
  const shape = { title: "SQLite", env: {}, commitUs: 600, together: 1, outages: [] };
  if (storeUrl !== undefined) return { ...shape, storeUrl, remove: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), "tape-crash-matrix-"));
  return {
    ...shape,
    storeUrl: `sqlite:${join(folder, "tape.db")}`,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
