import { shorten } from "../terminal.ts";

/** A cell: its text, and how it is painted once it has been padded. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

/**
 * Lines whose cells stand below each other, two spaces apart, at most `width` wide: what is too long is shortened in the
 * last cell, which is not padded.
 */
export function columns(rows: readonly (readonly Cell[])[], width: number = Number.POSITIVE_INFINITY): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.slice(0, -1).entries()) {
      widths[index] = Math.max(widths[index] ?? 0, textOf(cell).length);
    }
  }
  return rows.map((row) => {
    const before = row.slice(0, -1).reduce((sum, _cell, index) => sum + (widths[index] ?? 0) + 2, 0);
    const padded = row.map((cell, index) => {
      const last = index === row.length - 1;
      // Never less than a few words, even if the line then wraps.
      const text = last ? shorten(textOf(cell), Math.max(24, width - before)) : textOf(cell).padEnd(widths[index] ?? 0);
      return typeof cell === "string" ? text : cell.paint(text);
    });
    return padded.join("  ").trimEnd();
  });
}

function textOf(cell: Cell): string {
  return typeof cell === "string" ? cell : cell.text;
}
