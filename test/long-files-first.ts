import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take minutes, the longest kind first. Begun last, one of them would run on alone when all others are done. */
const long: readonly RegExp[] = [
  /test\/spanner\/tape-/,
  /test\/bigtable\/tape-/,
  /test\/\w+\/store\.test/,
  /test\/postgres\/tape-/,
];

/** Files that share processes: a process is handed on only to one of them, so they follow each other, and are the smallest. */
const sharing = /\/src\//;

/** The order of the files: those that take longest first, those that share processes last, all others as vitest orders them. */
export default class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- vitest's own method, which gives a new list
    const ranked = (await super.sort(files)).map((file) => ({ file, rank: rankOf(file.moduleId) }));
    return ranked.toSorted((a, b) => a.rank - b.rank).map(({ file }) => file);
  }
}

function rankOf(path: string): number {
  if (sharing.test(path)) return long.length + 1;
  const kind = long.findIndex((pattern) => pattern.test(path));
  return kind < 0 ? long.length : kind;
}
