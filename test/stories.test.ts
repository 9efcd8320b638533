import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { retell } from "./stories/story.ts";

/*
 * Golden stories: `UPDATE_STORIES=1 npx vitest run test/stories.test.ts` writes what happens now; the difference is for a
 * reviewer to read.
 */

const folder = join(import.meta.dirname, "stories");
const stories = readdirSync(folder).filter((name) => name.endsWith(".txt"));
const isUpdating = process.env["UPDATE_STORIES"] === "1";

describe("the story of", () => {
  it.each(stories)("%s", async (name) => {
    const path = join(folder, name);
    const written = readFileSync(path, "utf8");
    const told = await retell(written);
    if (isUpdating) writeFileSync(path, told);
    expect(isUpdating ? written.length > 0 : told).toEqual(isUpdating ? true : written);
  });
});
