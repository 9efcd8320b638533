import type { WorldKind } from "./assignment.ts";
import { allPoints, crashPoints, crashPointWords, latePoint } from "./crash-point.ts";
import { sumOf, type Tally } from "./tally.ts";
import type { Trial } from "./trial.ts";

const worldWords: Readonly<Record<WorldKind, string>> = {
  keys: "honours keys",
  "look-up": "can be asked",
  blind: "neither",
};

/** All points but the late one, which no journal alone can help. */
export const mainTally = ({ points }: Trial): Tally => sumOf(crashPoints.map((point) => points[point]));

/** Tables for people, in Markdown. */
export function tables(trials: readonly Trial[]): string {
  const fates = table(
    ["system", "world", "runs", "once", "twice", "lost", "UNKNOWN", "model asked again", "recovery p50", "max"],
    trials.map((trial) => {
      const { runs, once, twice, lost, unknown, ...more } = mainTally(trial);
      return [...nameOf(trial), runs, once, twice, lost, unknown, more.askedAgain, ...recovery(more.recoveryMs)];
    }),
  );
  const places = table(
    ["system", "world", "twice at", "lost at", "UNKNOWN at"],
    trials
      .map((trial) => [...nameOf(trial), where(trial, "twice"), where(trial, "lost"), where(trial, "unknown")])
      .filter(([, , ...points]) => points.some((names) => names !== "")),
  );
  const late = table(
    ["system", "world", "runs", "once", "twice", "lost", "UNKNOWN"],
    trials.map((trial) => {
      const { runs, once, twice, lost, unknown } = trial.points[latePoint];
      return [...nameOf(trial), runs, once, twice, lost, unknown];
    }),
  );
  const words = crashPoints.map((point) => `  ${point}: ${crashPointWords[point]}`).join("\n");
  return `How often the tool acted:\n\n${fates}\n
Where agents were killed when that was not once:\n\n${places}\n\n${words}\n
When the request was ${crashPointWords[latePoint]}:\n\n${late}\n`;
}

/** Everything that was counted, by point. */
export function json(trials: readonly Trial[]): string {
  const data = trials.map(({ system, version, world, seconds, points }) => ({
    system,
    version,
    world,
    seconds,
    points: Object.fromEntries(
      allPoints.map((point) => {
        const { recoveryMs, ...counts } = points[point];
        return [point, { ...counts, recoveryP50Ms: quantile(recoveryMs, 0.5), recoveryMaxMs: quantile(recoveryMs, 1) }];
      }),
    ),
  }));
  return JSON.stringify(data, null, 2);
}

const nameOf = ({ system, world }: Trial): readonly string[] => [system, worldWords[world]];

const where = ({ points }: Trial, fate: "twice" | "lost" | "unknown"): string =>
  crashPoints.filter((point) => points[point][fate] > 0).join(", ");

const recovery = (recoveryMs: readonly number[]): readonly string[] =>
  [0.5, 1].map((part) => `${(quantile(recoveryMs, part) / 1000).toFixed(1)} s`);

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
}

function table(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = [titles, titles.map(() => "---"), ...rows.map((row) => row.map(shown))];
  const widths = titles.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (cell === "---" ? "-".repeat(widths[column] ?? 3) : cell.padEnd(widths[column] ?? 0))).join(" | ")} |`;
  return cells.map(line).join("\n");
}

const shown = (cell: string | number): string => (typeof cell === "number" ? cell.toLocaleString("en-US") : cell);
