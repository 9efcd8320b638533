import { isatty } from "node:tty";
import picocolors from "picocolors";

/** Colours, or functions that leave text as it is. */
export type Colours = ReturnType<typeof picocolors.createColors>;

/** Where a command writes. Everything that depends on whether a person looks at it is decided here. */
export interface Terminal {
  /** Writes a line to standard output: what was asked for. */
  readonly print: (line: string) => void;
  /** Writes a line to standard error: all that is not the answer itself. */
  readonly note: (line: string) => void;
  /** Whether a person reads standard output. */
  readonly interactive: boolean;
  /** For standard output. */
  readonly colours: Colours;
  /** Columns of standard output; `Infinity` when it is no terminal. */
  readonly columns: number;
}

/** The terminal of this process. Colours only there, and never against NO_COLOR (https://no-color.org). */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  const interactive = isatty(1);
  return {
    print: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    interactive,
    colours: picocolors.createColors(interactive && picocolors.isColorSupported),
    columns: interactive ? stdout.columns : Number.POSITIVE_INFINITY,
  };
}

/** Text of others on one line, safe to show: what would move the cursor or hide something is shown as an escape. */
export function printable(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ⏎ ").replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** At most `columns` wide, with an ellipsis where something is missing. */
export function shorten(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
