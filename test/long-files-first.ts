import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take minutes, the longest kind first. Begun last, one of them would run on alone when all others are done. */
const long: readonly RegExp[] = [
  /test\/spanner\/tape-/,
  /test\/bigtable\/tape-/,
  /test\/\w+\/store\.test/,
  /test\/postgres\/tape-/,
];

/** The order of the files: those that take longest first, all others as vitest orders them. */
export default class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's own method, which gives a new list
    const ranked = (await super.sort(files)).map((file) => ({ file, rank: rankOf(file.moduleId) }));
    return ranked.toSorted((a, b) => a.rank - b.rank).map(({ file }) => file);
  }
}

function rankOf(path: string): number {
  const kind = long.findIndex((pattern) => pattern.test(path));
  return kind < 0 ? long.length : kind;
}
