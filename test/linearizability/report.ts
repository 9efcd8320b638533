import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Verdict } from "./checker.ts";
import { longestOverlap, type Answer, type Operation } from "./history.ts";
import type { History } from "./round.ts";
import { smallestExcerpt, type Excerpt } from "./verdicts.ts";
import { objectKinds } from "./workload/player.ts";

/** What the closing table says of one kind of object. */
interface Row {
  histories: number;
  operations: number;
  unknown: number;
  overlap: number;
  states: number;
  violations: number;
  undecided: number;
}

/** Counts histories and verdicts, for the closing table. */
export class Summary {
  readonly #rows = new Map<string, Row>();

  add({ kind, operations }: History, verdict: Verdict<unknown>): void {
    const none = { histories: 0, operations: 0, unknown: 0, overlap: 0, states: 0, violations: 0, undecided: 0 };
    const row = this.#rows.get(kind.name) ?? none;
    this.#rows.set(kind.name, row);
    row.histories += 1;
    row.operations += operations.length;
    row.unknown += operations.filter(({ answer }) => answer === undefined).length;
    row.overlap = Math.max(row.overlap, longestOverlap(operations));
    row.states += verdict.states;
    if (verdict.kind === "violation") row.violations += 1;
    if (verdict.kind === "undecided") row.undecided += 1;
  }

  /** Whether every history was found to be linearizable, and there was one. */
  get holds(): boolean {
    const rows = [...this.#rows.values()];
    return rows.length > 0 && rows.every(({ violations, undecided }) => violations + undecided === 0);
  }

  /** The table, a line each. */
  lines(): readonly string[] {
    const titles = ["object", "histories", "operations", "unknown", "overlap", "states", "verdict"];
    const rows = [...this.#rows].map(([name, row]) => [
      name,
      ...[row.histories, row.operations, row.unknown, row.overlap, row.states].map((n) => n.toLocaleString("en-US")),
      verdictOf(row),
    ]);
    const widths = titles.map((title, column) =>
      Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
    );
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, n) =>
          n === 0 || n === cells.length - 1 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0),
        )
        .join("  ")
        .trimEnd();
    return [titles, ...rows].map(line);
  }
}

function verdictOf({ violations, undecided }: Row): string {
  if (violations > 0) return `VIOLATED in ${violations}`;
  return undecided > 0 ? `undecided in ${undecided}` : "linearizable";
}

/** How many calls before the excerpt are shown: enough to see where its stands come from. */
const shownBefore = 6;
const shownStands = 5;

/** A violation as a person can read it. */
export function storyOf(
  history: History,
  verdict: Extract<Verdict<unknown>, { kind: "violation" }>,
): readonly string[] {
  const excerpt = smallestExcerpt(history, verdict);
  const { from, operations, culprit } = excerpt;
  const start = Math.min(...operations.map(({ invoked }) => invoked));
  const before = history.operations.filter(({ returned = Infinity }) => returned < start);
  const wrong = operations[culprit];
  return [
    `${history.object}: the answer to ${wrong?.input.call} of ${wrong?.client} cannot be`,
    `After ${before.length} answered calls, of which the last were`,
    ...before.slice(-shownBefore).map((one) => `  ${told(one)}`),
    `it could only be${from.length === 1 ? "" : ` one of ${from.length}, such as`}`,
    ...from
      .slice(0, shownStands)
      .map(({ state, applied }) => `  ${JSON.stringify(state)}${appliedOf(applied, excerpt)}`),
    "and then, numbers telling the order of requests and answers:",
    ...operations.map((one, place) => `${place === culprit ? "* " : "  "}${told(one)}`),
  ];
}

const appliedOf = (applied: readonly number[], { operations }: Excerpt): string =>
  applied.length === 0 ? "" : ` with ${applied.map((place) => `[${operations[place]?.invoked}`).join(", ")}...]`;

function told({ client, input, invoked, returned, answer }: Operation): string {
  const { call, ...asked } = input;
  const end = returned === undefined ? "..." : returned;
  return `[${invoked}, ${end}] ${client} ${call}(${fields(asked)}) -> ${answer === undefined ? "never answered" : fields(answer)}`;
}

const fields = (record: Answer | Record<string, unknown>): string =>
  Object.entries(record)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");

/** Writes a history that is wrong, for `--check`; gives the file's name. */
export function save(
  folder: string,
  history: History,
  verdict: Extract<Verdict<unknown>, { kind: "violation" }>,
): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${history.object}.json`);
  const { kind, object, operations } = history;
  const content = { kind: kind.name, object, operations, smallest: smallestExcerpt(history, verdict) };
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  return file;
}

/** Reads what {@link save} wrote. Rejects with what is wrong with it. */
export function read(file: string): History {
  const content = JSON.parse(readFileSync(file, "utf8")) as { kind: string; object: string; operations: Operation[] };
  const kind = objectKinds.find(({ name }) => name === content.kind);
  if (kind === undefined || !Array.isArray(content.operations)) {
    throw new TypeError(`${file} holds no history; give a file that a run has saved`);
  }
  return { kind, object: content.object, operations: content.operations };
}
