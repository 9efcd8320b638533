import type { Result } from "./campaign.ts";

const titles = [
  "attack",
  "connections",
  "what became of them",
  "probe ok",
  "failed",
  "latency",
  "before",
  "peak",
  "after",
];

/** The closing table: one line for each attack. Latency is a ratio to that of the quiet server; memory is resident. */
export function tableOf(results: readonly Result[]): readonly string[] {
  const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
  const rows = results.map(({ attack, outcome, quiet, probe, before, peak, after }) => [
    attack.name,
    String(outcome.connections),
    Object.entries(outcome.fates)
      .map(([fate, count]) => `${count} ${fate}`)
      .join(", "),
    String(probe.ok),
    String(probe.failed),
    `${(probe.medianMs / quiet.medianMs).toFixed(1)}×`,
    mib(before.resident),
    mib(peak.resident),
    mib(after.resident),
  ]);
  const all = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(titles), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...rows.map(line)];
}
